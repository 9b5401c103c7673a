import type { ResolvedPolicy } from '../policy/resolved-policy.ts';
import type { SnapshotRecord } from '../snapshots/inventory.ts';
import { isBeingRemoved, isGood, protection, verifiedAt } from '../snapshots/standing.ts';
import { byStart, ownNames, type FolderIndex } from './backup-view.ts';
import { addressOf, type Draft, type Drafts, unaskedDraft } from './draft.ts';
import { count } from './phrases.ts';
import { lockReason } from './plan-lock.ts';
import { limitPrunes } from './plan-max-prune.ts';
import { withheld as withheldOne } from './plan-unsigned.ts';
import { reason, type Reason } from './reasons.ts';
import type { WithheldStep } from './step.ts';

export interface RemovedOptions {
  readonly pruneRemoved: boolean;
  readonly maxPrune: number | undefined;
  readonly now: Date;
}

/**
 * Snapshots of backups that left the policy, or that do not use a repository any more: listed, and pruned only on
 * request; even then the newest good and the newest verified one stay, and so do protected ones.
 */
export function planRemoved(
  policy: ResolvedPolicy,
  folders: ReadonlyMap<string, FolderIndex>,
  { pruneRemoved, maxPrune, now }: RemovedOptions,
): Partial<Drafts> {
  const policyNames = new Set(ownNames(policy));
  const withheld: WithheldStep[] = [];
  const steps: Draft[] = [];
  for (const [repository, { snapshots }] of folders) {
    const inUse = new Set(policy.backups.filter((one) => one.repositories.includes(repository)).flatMap(ownNames));
    for (const [backup, all] of snapshots) {
      const found = all.filter((snapshot) => policyNames.has(snapshot.policy)).toSorted(byStart);
      if (inUse.has(backup)) continue;
      const unsigned = found.filter((snapshot) => snapshot.unsigned !== undefined);
      withheld.push(...unsigned.map((snapshot) => withheldOne(addressOf(backup, repository), snapshot, null)));
      const own = found.filter((snapshot) => snapshot.unsigned === undefined);
      if (own.length === 0) continue;
      const isKnown = policy.backups.some((one) => ownNames(one).includes(backup));
      const whose = isKnown ? `backup ${backup}, which does not use it any more` : 'a backup that is not in the policy';
      if (pruneRemoved) {
        const decided = pruneAllButLast({ backup, repository, own, whose, now });
        const limited = limitPrunes(decided.steps, own.length, maxPrune ?? null);
        withheld.push(...decided.withheld, ...(limited.withheld ?? []));
        steps.push(...(limited.steps ?? []));
      } else {
        const message = `${count(own.length, 'snapshot')} of ${whose}; --prune-removed lets all but the last good one go`;
        withheld.push({
          action: 'prune',
          address: addressOf(backup, repository),
          snapshot: null,
          reason: reason('backup-removed', message, { snapshots: own.length }),
          source: null,
        });
      }
    }
  }
  return { steps, withheld };
}

interface RemovedBackup {
  readonly backup: string;
  readonly repository: string;
  /** Oldest first. */
  readonly own: readonly SnapshotRecord[];
  readonly whose: string;
  readonly now: Date;
}

function pruneAllButLast({ backup, repository, own, whose, now }: RemovedBackup): {
  readonly steps: readonly Draft[];
  readonly withheld: readonly WithheldStep[];
} {
  const newestGood = own.findLast(isGood);
  const newestVerified = own.findLast((snapshot) => isGood(snapshot) && verifiedAt(snapshot) !== null);
  const holdReason = (snapshot: SnapshotRecord): Reason | null => {
    const marked = protection(snapshot);
    if (marked !== null) return reason('protected', `protected${marked.reason === '' ? '' : `: ${marked.reason}`}`);
    if (isBeingRemoved(snapshot))
      return newestGood === undefined ? reason('last-good', `no good snapshot is in ${repository}`) : null;
    if (snapshot.protect) return reason('protected', 'its backup had `protect: true`');
    if (snapshot.kind !== 'safety' && (newestGood === undefined || byStart(snapshot, newestGood) > 0))
      return reason('last-good', `no newer good snapshot is in ${repository}`);
    if (snapshot === newestGood || snapshot === newestVerified)
      return reason('last-good', `the last good snapshot in ${repository}`);
    return null;
  };
  const steps: Draft[] = [];
  const withheld: WithheldStep[] = [];
  for (const snapshot of own) {
    const held = holdReason(snapshot) ?? lockReason(snapshot.lockedUntil, repository, now);
    const address = addressOf(backup, repository);
    if (held === null) steps.push(removedStep(backup, repository, snapshot, whose));
    else withheld.push({ action: 'prune', address, snapshot: snapshot.id, reason: held, source: null });
  }
  return { steps, withheld };
}

const removedStep = (backup: string, repository: string, snapshot: SnapshotRecord, whose: string): Draft =>
  unaskedDraft({
    action: 'prune',
    backup,
    kind: snapshot.kind,
    targets: Object.keys(snapshot.targets),
    repository,
    snapshot: snapshot.id,
    reason: reason('backup-removed', `it belongs to ${whose}`, { storedBytes: snapshot.storedBytes }),
    destructive: true,
  });
