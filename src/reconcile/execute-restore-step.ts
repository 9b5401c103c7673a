import { notFoundError } from '../errors.ts';
import { addMark } from '../snapshots/marks.ts';
import { isGood } from '../snapshots/standing.ts';
import { indexFolders, viewBackup } from './backup-view.ts';
import type { StepDone } from './execute-step.ts';
import type { BackupExecution } from './execution.ts';
import type { FoundSnapshot } from './find-snapshot.ts';
import { readable, snapshotOf, writable } from './holder.ts';
import { destinationDigest } from './plan-restores.ts';
import { needsSafety, prepareRestore } from './prepare-restore.ts';
import { requireManifest } from './require-manifest.ts';
import { readSnapshot } from '../snapshots/read-snapshot.ts';
import { restoreFlaws, setAsideBy } from './restore-result.ts';
import { checkRestore, runRestore } from './run-restore.ts';
import { takeSafetySnapshot } from './safety-snapshot.ts';
import type { Step } from './step.ts';

/** Carries out a restore of the policy and remembers in every repository that it was done. */
export async function restoreStep(execution: BackupExecution, step: Step): Promise<StepDone> {
  const { session } = execution;
  const restore = session.policy.restores.find((one) => one.name === step.destination?.restore);
  if (restore === undefined) throw new Error(`no restore ${step.destination?.restore ?? ''} in the policy`);
  const found = await findForStep(execution, step);
  const prepared = await prepareRestore(session, found, {
    targets: Object.keys(restore.targets),
    into: Object.fromEntries(Object.entries(restore.targets).map(([name, { into }]) => [name, into])),
    mode: (name) => restore.targets[name]?.mode ?? 'new',
    paths: [],
  });
  await checkRestore(session, prepared);
  if (prepared.targets.some(needsSafety)) {
    const held = writable(execution, step.repository);
    await takeSafetySnapshot(session, prepared, { name: step.repository, ...held }, execution.run, 0);
  }
  const report = await runRestore(session, prepared, { skipConflicts: false });
  execution.setAside.push(...setAsideBy(session, report, restore.keepOldMs));
  if (report.failed !== null) throw report.failed.error;
  await remember(execution, step, found, restore.name, destinationDigest(restore.targets));
  return { snapshot: found.id, flaws: restoreFlaws(report) };
}

async function findForStep(execution: BackupExecution, step: Step): Promise<FoundSnapshot> {
  const { session, backup, observation } = execution;
  const id = snapshotOf(execution, step);
  if (backup === undefined)
    throw notFoundError(`cannot restore ${step.address}: the policy has no backup ${step.backup}`);
  const view = viewBackup(session.policy, backup, indexFolders(observation));
  const repository = readable(execution, step.repository);
  const known = view.repositories.find(({ name }) => name === step.repository)?.snapshots.get(id);
  const stored = await readSnapshot(repository, { backup: known?.backup ?? backup.name, id });
  if (stored?.ok !== true || !isGood(stored.value.record)) {
    await requireManifest(repository, { backup: known?.backup ?? backup.name, id });
    throw notFoundError(`cannot restore ${step.address} ${id}: it is not good any more`);
  }
  return { backup, id, view, places: [{ name: step.repository, repository, record: stored.value.record }] };
}

async function remember(
  execution: BackupExecution,
  step: Step,
  found: FoundSnapshot,
  restore: string,
  destination: string,
): Promise<void> {
  const { session } = execution;
  const backup = found.places[0]?.record.backup ?? step.backup;
  const request = {
    backup,
    id: found.id,
    policy: session.policy.name,
    kind: 'restored' as const,
    data: { restore, destination },
  };
  for (const { repository, lease } of execution.repositories.values())
    await addMark(repository, request, lease, session.context);
}
