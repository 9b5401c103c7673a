import { guardError } from '../errors.ts';
import type { Repository } from '../repositories/repository.ts';
import type { SnapshotRecord } from '../snapshots/inventory.ts';
import { readSnapshot } from '../snapshots/read-snapshot.ts';
import { releaseSnapshot } from '../snapshots/release-snapshot.ts';
import { isBeingRemoved, isGood, verifiedAt } from '../snapshots/standing.ts';
import { byStart, ownNames } from './backup-view.ts';
import type { StepDone } from './execute-step.ts';
import type { BackupExecution } from './execution.ts';
import { recordOf, recordsOf, snapshotOf, writable } from './holder.ts';
import { releaseReferences } from './release-references.ts';
import type { Step } from './step.ts';

/** Lets one snapshot go, after a last look at what makes it safe. */
export async function pruneStep(execution: BackupExecution, step: Step): Promise<StepDone> {
  const { session } = execution;
  const id = snapshotOf(execution, step);
  const { repository, lease } = writable(execution, step.repository);
  const record = recordOf(execution, step.repository, id);
  if (record === undefined) return { snapshot: id, flaws: [] };
  if (record.kind !== 'safety') await assertGoodLeft(execution, step, repository, record);
  const request = {
    backup: record.backup,
    id,
    policyNames: ownNames(session.policy),
    reason: step.reason.code,
  };
  await releaseSnapshot(repository, request, lease, session.context);
  const name = { backup: record.backup, id };
  return { snapshot: id, flaws: await releaseReferences(session, name, record.references ?? []) };
}

/**
 * Reads manifests and marks again until a newer good snapshot stands here (one that was captured, where a captured one is
 * to go), and a newer verified one where a verified one is to go: without them nothing is pruned. To end a removal that
 * was decided and begun, any good one is enough.
 */
async function assertGoodLeft(
  execution: BackupExecution,
  step: Step,
  repository: Repository,
  pruned: SnapshotRecord,
): Promise<void> {
  const isBegun = isBeingRemoved(pruned);
  const isEnough = (other: SnapshotRecord): boolean => isGood(other) && (isBegun || byStart(other, pruned) > 0);
  const known = recordsOf(execution, step.repository)
    .filter(isEnough)
    .toSorted((a, b) => byStart(b, a));
  const candidates = [...execution.stored.filter((one) => one.repository === step.repository), ...known];
  let needsGood = true;
  let needsVerified = !isBegun && verifiedAt(pruned) !== null;
  for (const candidate of candidates) {
    const found = await readSnapshot(repository, candidate, execution.session.context);
    if (found?.ok !== true) continue;
    const { record } = found.value;
    if (!isEnough(record)) continue;
    if (isBegun || pruned.kind !== 'backup' || record.kind === 'backup') needsGood = false;
    if (verifiedAt(record) !== null) needsVerified = false;
    if (!needsGood && !needsVerified) return;
  }
  const what = isBegun ? 'good' : `newer ${needsGood ? 'good' : 'verified'}`;
  throw guardError(`cannot prune ${step.address} ${pruned.id}: no ${what} snapshot stands in ${step.repository}`);
}
