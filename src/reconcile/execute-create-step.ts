import type { Manifest } from '../snapshots/manifest.ts';
import { indexFolders, viewBackup } from './backup-view.ts';
import { beginBesides, dropBeside } from './besides.ts';
import { listsFiles, newestFolders } from './earlier-files.ts';
import { executeCreate } from './execute-create.ts';
import type { StepDone } from './execute-step.ts';
import type { BackupExecution } from './execution.ts';
import { safetyStep } from './execute-restore-step.ts';
import { readable, writable } from './holder.ts';
import { requireSigned } from './require-manifest.ts';
import type { Step } from './step.ts';

/** Captures the backup into the first repository, or what a restore is about to change. */
export async function createStep(execution: BackupExecution, step: Step): Promise<StepDone> {
  if (step.kind === 'safety') return safetyStep(execution, step);
  const { session, backup, startedAt, tick, run } = execution;
  if (backup === undefined) throw new Error(`no backup ${step.backup} in the policy`);
  const { repository, lease } = writable(execution, step.repository);
  const id = session.newId(startedAt);
  const besides = await beginBesides(execution, step, id);
  const drop = async (): Promise<void> => {
    for (const beside of besides.values()) await dropBeside(beside, session);
  };
  const { manifest, flaws } = await executeCreate(session, {
    backup,
    targets: backup.targets,
    kind: 'backup',
    id,
    startedAt,
    tick,
    repository,
    lease,
    previous: await lastGood(execution),
    earlier: listsFiles(backup) ? await newestFolders(execution, step.repository, repository) : new Map(),
    run,
    besides: [...besides.values()],
  }).catch(async (error: unknown) => {
    await drop();
    throw error;
  });
  const warnings = Object.entries(manifest.targets).flatMap(([name, target]) =>
    target.warnings.map((warning) => `${name}: ${warning}`),
  );
  for (const message of warnings) session.context.emit({ type: 'warning', message });
  if (manifest.status === 'created') {
    execution.made.set(step.id, id);
    for (const [copy, beside] of besides) execution.besides.set(copy, { beside, captured: manifest });
    execution.stored.push({ repository: step.repository, backup: backup.name, id });
    return { snapshot: id, flaws };
  }
  // A partial snapshot is not copied.
  await drop();
  const failed = Object.entries(manifest.targets).filter(([, target]) => target.status === 'failed');
  return { snapshot: id, partial: failed.map(([name, target]) => `${name}: ${target.error ?? ''}`).join('; '), flaws };
}

async function lastGood(execution: BackupExecution): Promise<Manifest | undefined> {
  const { session, backup, observation } = execution;
  if (backup === undefined) return undefined;
  const newest = viewBackup(session.policy, backup, indexFolders(observation)).good.findLast(
    ({ record }) => record.kind === 'backup',
  );
  const holder = newest?.holders[0];
  if (newest === undefined || holder === undefined) return undefined;
  return requireSigned(readable(execution, holder), newest.record, session.context);
}
