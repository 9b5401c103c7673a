/** A runner of the program that can be hurt at any file system step: `node runner.ts '{"command":"apply",…}'`. */
import { writeSync } from 'node:fs';
import { BkpError, EXIT } from '../../src/errors.ts';
import { applyPlan } from '../../src/reconcile/apply.ts';
import { destroySnapshot } from '../../src/reconcile/destroy.ts';
import { findSnapshot } from '../../src/reconcile/find-snapshot.ts';
import { observeRepositories } from '../../src/reconcile/observe-repositories.ts';
import type { PlanOptions } from '../../src/reconcile/observation.ts';
import { planPolicy } from '../../src/reconcile/plan-policy.ts';
import type { Session } from '../../src/reconcile/session.ts';
import { fileSteps, type FileSteps } from '../../src/repositories/file-steps.ts';
import { installSignals } from '../../src/system/signals.ts';
import { watchSteps } from '../repositories/stepping.ts';
import { withTestSession } from './edge.ts';
import type { Orders, Outcome } from './orders.ts';

const orders = JSON.parse(process.argv[2] ?? '') as Orders;
const signal = installSignals();
let steps = 0;
let isWriteDoomed = false;

function hurt(): void {
  if (orders.signal !== undefined) process.kill(process.pid, orders.signal);
}

/** A process that is killed while it writes leaves half of the bytes. */
const halfWriting: FileSteps = {
  ...fileSteps,
  write: async (file, chunks) => {
    if (!isWriteDoomed) return fileSteps.write(file, chunks);
    const bytes = Buffer.concat(chunks);
    await file.write(bytes.subarray(0, bytes.length / 2));
    hurt();
  },
};

const hurting: FileSteps = watchSteps(orders.signal === 'SIGKILL' ? halfWriting : fileSteps, (name, number) => {
  steps = number;
  if (number !== orders.atStep) return;
  if (name === 'write' && orders.signal === 'SIGKILL') isWriteDoomed = true;
  else hurt();
});

async function run(session: Session): Promise<Omit<Outcome, 'fileSteps'>> {
  const lockTimeoutMs = orders.lockTimeoutMs ?? 30_000;
  if (orders.command === 'destroy') {
    const found = findSnapshot(session, await observeRepositories(session), orders.snapshot ?? '');
    await destroySnapshot(session, found, { force: true, lockTimeoutMs });
    return { exitCode: EXIT.done, error: null, steps: [] };
  }
  const planning: PlanOptions = {
    ...(orders.requested === undefined ? {} : { requested: orders.requested }),
    ...(orders.only === undefined ? {} : { only: orders.only }),
  };
  const made = await planPolicy(session, planning);
  const result = await applyPlan(session, made, { planning, failFast: false, lockTimeoutMs, command: 'apply' });
  return {
    exitCode: result.exitCode,
    error: null,
    steps: result.steps.map(({ step: { action, address }, outcome, snapshot, message }) => ({
      action,
      address,
      outcome,
      snapshot,
      message,
    })),
  };
}

function failed(error: unknown): Omit<Outcome, 'fileSteps'> {
  if (!(error instanceof BkpError)) throw error;
  const { code, message, hint } = error;
  return {
    exitCode: signal.aborted ? EXIT.interrupted : error.exitCode,
    error: { code, message, hint: hint ?? null },
    steps: [],
  };
}

const outcome = await withTestSession({ ...orders, signal, fileSteps: hurting }, run).catch(failed);
writeSync(1, `${JSON.stringify({ ...outcome, fileSteps: steps })}\n`);
process.exitCode = outcome.exitCode;
