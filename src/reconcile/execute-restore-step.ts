import { notFoundError } from '../errors.ts';
import type { ResolvedRestore } from '../policy/resolved-policy.ts';
import { addMark } from '../snapshots/marks.ts';
import { isGood } from '../snapshots/standing.ts';
import { readSnapshot } from '../snapshots/read-snapshot.ts';
import { indexFolders, viewBackup } from './backup-view.ts';
import type { StepDone } from './execute-step.ts';
import type { BackupExecution } from './execution.ts';
import type { FoundSnapshot } from './find-snapshot.ts';
import { readable, snapshotOf, writable } from './holder.ts';
import { destinationDigest } from './plan-restores.ts';
import { needsSafety, prepareDestination, prepareRestore, type PreparedRestore } from './prepare-restore.ts';
import { requireManifest } from './require-manifest.ts';
import { restoreFlaws, setAsideBy } from './restore-result.ts';
import { assertNothingInTheWay, assertRestorable, checkRestore, runRestore, withArtifactsHere } from './run-restore.ts';
import { takeSafetySnapshot } from './safety-snapshot.ts';
import type { Step } from './step.ts';

/** Carries out a restore of the policy and remembers in every repository that it was done. */
export async function restoreStep(execution: BackupExecution, step: Step): Promise<StepDone> {
  const { session } = execution;
  const restore = restoreOf(execution, step);
  const prepared = await prepareStep(execution, step);
  const { found } = prepared;
  const report = await withArtifactsHere(session, prepared, async (here) => {
    await checkRestore(session, here);
    await secureWhatAppeared(execution, step, here);
    return runRestore(session, here, { skipConflicts: false });
  });
  execution.setAside.push(...setAsideBy(session, prepared, report, restore.keepOldMs));
  if (report.failed !== null) throw report.failed.error;
  await remember(execution, step, found, restore.name, destinationDigest(restore.targets));
  return { snapshot: found.id, flaws: restoreFlaws(report) };
}

/** Finds the snapshot of a restore of the policy and looks at its destinations. */
async function prepareStep(execution: BackupExecution, step: Step): Promise<PreparedRestore> {
  const { targets } = restoreOf(execution, step);
  return prepareRestore(execution.session, await findForStep(execution, step), {
    targets: Object.keys(targets),
    into: Object.fromEntries(Object.entries(targets).map(([name, { into }]) => [name, into])),
    mode: (name) => targets[name]?.mode ?? 'new',
    paths: [],
    noOwner: false,
  });
}

/** Captures what a restore of the policy is about to change in place. */
export async function safetyStep(execution: BackupExecution, step: Step): Promise<StepDone> {
  const { session, backup, run } = execution;
  if (backup === undefined) throw new Error(`no backup ${step.backup} in the policy`);
  const restore = restoreOf(execution, step);
  const targets = step.targets.flatMap((name) => {
    const resolved = backup.targets.find((target) => target.name === name);
    const into = restore.targets[name]?.into ?? {};
    return resolved === undefined ? [] : [{ resolved, into, destination: prepareDestination(session, resolved, into) }];
  });
  await assertOfUse(execution, step);
  const id = await takeSafetySnapshot(session, { backup, targets }, writable(execution, step.repository), run);
  execution.made.set(step.id, id);
  return { snapshot: id, flaws: [] };
}

/** Throws where the restore that a safety snapshot is for would be refused, as far as its own snapshot is there to tell. */
async function assertOfUse(execution: BackupExecution, safety: Step): Promise<void> {
  const restore = execution.steps.find(
    ({ action, dependsOn }) => action === 'restore' && dependsOn.includes(safety.id),
  );
  if (restore === undefined) return;
  if (restore.snapshot === null && !execution.made.has(restore.snapshotFrom ?? '')) return;
  const prepared = await prepareStep(execution, restore);
  assertNothingInTheWay(prepared);
  await assertRestorable(execution.session, prepared);
}

function restoreOf({ session }: BackupExecution, { destination }: Step): ResolvedRestore {
  const restore = session.policy.restores.find((one) => one.name === destination?.restore);
  if (restore === undefined) throw new Error(`no restore ${destination?.restore ?? ''} in the policy`);
  return restore;
}

/** Something stands at a destination that the plan found free, or did not know. */
async function secureWhatAppeared(execution: BackupExecution, step: Step, prepared: PreparedRestore): Promise<void> {
  const { session, run, made } = execution;
  const isSecured =
    step.snapshotFrom === null ? step.dependsOn : step.dependsOn.filter((id) => id !== step.snapshotFrom);
  const targets = prepared.targets.filter(needsSafety);
  if (targets.length === 0 || isSecured.some((id) => made.has(id))) return;
  await assertRestorable(session, prepared);
  const order = { backup: prepared.found.backup, targets };
  await takeSafetySnapshot(session, order, writable(execution, step.repository), run);
}

async function findForStep(execution: BackupExecution, step: Step): Promise<FoundSnapshot> {
  const { session, backup, observation } = execution;
  const id = snapshotOf(execution, step);
  if (backup === undefined)
    throw notFoundError(`cannot restore ${step.address}: the policy has no backup ${step.backup}`);
  const view = viewBackup(session.policy, backup, indexFolders(observation));
  const repository = readable(execution, step.repository);
  const known = view.repositories.find(({ name }) => name === step.repository)?.snapshots.get(id);
  const stored = await readSnapshot(repository, { backup: known?.backup ?? backup.name, id }, session.context);
  if (stored?.ok !== true || !isGood(stored.value.record)) {
    await requireManifest(repository, { backup: known?.backup ?? backup.name, id, marks: [] });
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
