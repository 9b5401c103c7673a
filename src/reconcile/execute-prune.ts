import { guardError } from '../errors.ts';
import type { Repository } from '../repositories/repository.ts';
import type { SnapshotName } from '../snapshots/keys.ts';
import { readSnapshot } from '../snapshots/read-snapshot.ts';
import { releaseSnapshot } from '../snapshots/release-snapshot.ts';
import { isGood } from '../snapshots/standing.ts';
import { ownNames } from './backup-view.ts';
import type { StepDone } from './execute-step.ts';
import type { BackupExecution } from './execution.ts';
import { recordOf, recordsOf, snapshotOf, writable } from './holder.ts';
import type { Step } from './step.ts';

/** Lets one snapshot go, after a last look at what makes it safe. */
export async function pruneStep(execution: BackupExecution, step: Step): Promise<StepDone> {
  const { session } = execution;
  const id = snapshotOf(execution, step);
  const { repository, lease } = writable(execution, step.repository);
  const record = recordOf(execution, step.repository, id);
  if (record === undefined) return { snapshot: id, flaws: [] };
  if (record.kind !== 'safety') await assertAnotherGood(execution, step, repository, record);
  const request = {
    backup: record.backup,
    id,
    policyNames: ownNames(session.policy),
    reason: step.reason.code,
  };
  await releaseSnapshot(repository, request, lease, session.context);
  return { snapshot: id, flaws: [] };
}

/** Reads manifests and marks again until one other good snapshot stands here: without one, nothing is pruned. */
async function assertAnotherGood(
  execution: BackupExecution,
  step: Step,
  repository: Repository,
  pruned: SnapshotName,
): Promise<void> {
  const made = [...execution.made.values()].map((id) => ({ backup: pruned.backup, id }));
  const known = recordsOf(execution, step.repository)
    .filter((other) => other.id !== pruned.id && isGood(other))
    .toSorted((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
  for (const candidate of [...made, ...known]) {
    const found = await readSnapshot(repository, candidate);
    if (found?.ok === true && isGood(found.value.record)) return;
  }
  throw guardError(`cannot prune ${step.address} ${pruned.id}: no other good snapshot stands in ${step.repository}`);
}
