import { BkpError } from '../errors.ts';
import { definitionDigest, definitionsOf } from './definition.ts';
import type { ResolvedBackup } from '../policy/resolved-policy.ts';
import type { Repository } from '../repositories/repository.ts';
import type { RunRecord, RunStep, SetAsideRecord } from '../snapshots/run-record.ts';
import { writeRun } from '../snapshots/runs.ts';
import type { Session } from './session.ts';
import type { Step } from './step.ts';
import { ended, type StepResult } from './step-result.ts';

export interface RunOpening {
  readonly id: string;
  readonly backup: string;
  readonly command: string;
  readonly startedAt: Date;
  /** Tick of the capture this run makes, if it makes one. */
  readonly tick: Date | null;
  /** The backup whose definition is captured; null when nothing is. */
  readonly captures: ResolvedBackup | null;
  readonly owedHooks: RunRecord['owedHooks'];
  readonly repositories: Readonly<Record<string, string>>;
  /** What the run is about to do. */
  readonly planned: readonly Step[];
}

/** A run record that is written when something begins and kept true until the end. */
export interface OpenRun {
  readonly id: string;
  /** The `after` hooks have run: nothing is owed any more. */
  hooksDone(): Promise<void>;
  finish(
    outcome: RunRecord['outcome'],
    steps: readonly StepResult[],
    setAside: readonly SetAsideRecord[],
  ): Promise<void>;
}

/** Opens the record of a run in a repository. */
export async function openRun(session: Session, repository: Repository, opening: RunOpening): Promise<OpenRun> {
  let record: RunRecord = {
    formatVersion: 1,
    id: opening.id,
    policy: session.policy.name,
    backup: opening.backup,
    command: opening.command,
    host: session.context.host.name,
    bootId: session.context.host.bootId,
    pid: session.context.host.pid,
    bkp: session.bkpVersion,
    startedAt: opening.startedAt.toISOString(),
    finishedAt: null,
    outcome: 'running',
    tick: opening.tick?.toISOString() ?? null,
    definitionSha256: opening.captures === null ? null : definitionDigest(definitionsOf(opening.captures)),
    steps: opening.planned.map((step) => runStep(ended(step, 'not-started'))),
    owedHooks: opening.owedHooks,
    setAside: [],
    repositories: opening.repositories,
  };
  await writeRun(repository, record, session.context);
  return {
    id: record.id,
    hooksDone: async () => {
      if (record.owedHooks.length === 0) return;
      record = { ...record, owedHooks: [] };
      await writeRun(repository, record, session.context);
    },
    finish: async (outcome, steps, setAside) => {
      record = {
        ...record,
        outcome,
        finishedAt: session.context.clock.now().toISOString(),
        steps: steps.map(runStep),
        setAside,
      };
      await writeRun(repository, record, session.context);
    },
  };
}

/** What was done stays done where its record cannot be written: gives the problem, already told as a warning. */
export async function recordOrTell(session: Session, write: () => Promise<void>): Promise<string | null> {
  try {
    await write();
    return null;
  } catch (error) {
    if (!(error instanceof BkpError)) throw error;
    const problem = `the record of this run is not whole: ${error.message}`;
    session.context.emit({ type: 'warning', message: problem });
    return problem;
  }
}

/** The results with a flaw of the whole run, so that it counts. */
export const withFlaw = (results: readonly StepResult[], flaw: string | null): readonly StepResult[] =>
  flaw === null
    ? results
    : results.map((result, index) => (index === 0 ? { ...result, flaws: [...result.flaws, flaw] } : result));

const runStep = ({ step, outcome, snapshot, message, flaws }: StepResult): RunStep => ({
  action: step.action,
  address: step.address,
  reason: step.reason.code,
  outcome,
  snapshot,
  error: [outcome === 'done' || outcome === 'skipped' ? null : message, ...flaws].filter(Boolean).join('; ') || null,
});
