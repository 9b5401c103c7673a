import type { ResolvedPolicy } from '../policy/resolved-policy.ts';
import type { SnapshotRecord } from '../snapshots/inventory.ts';
import { isGood, protection, verifiedAt } from '../snapshots/standing.ts';
import { byStart, ownNames, type FolderIndex } from './backup-view.ts';
import { addressOf, type Draft, type Drafts } from './draft.ts';
import { count } from './phrases.ts';
import { reason } from './reasons.ts';
import type { WithheldStep } from './step.ts';

/**
 * Snapshots of backups that left the policy: listed, and pruned only on request; even then the newest good and the
 * newest verified one stay, and so do protected ones.
 */
export function planRemoved(
  policy: ResolvedPolicy,
  folders: ReadonlyMap<string, FolderIndex>,
  pruneRemoved: boolean,
): Partial<Drafts> {
  const policyNames = new Set(ownNames(policy));
  const known = new Set(policy.backups.flatMap(ownNames));
  const withheld: WithheldStep[] = [];
  const steps: Draft[] = [];
  for (const [repository, { snapshots }] of folders) {
    for (const [backup, all] of snapshots) {
      const own = all.filter((snapshot) => policyNames.has(snapshot.policy)).toSorted(byStart);
      if (known.has(backup) || own.length === 0) continue;
      if (pruneRemoved) {
        const decided = pruneAllButLast(backup, repository, own);
        withheld.push(...decided.withheld);
        steps.push(...decided.steps);
      } else {
        const message = `${count(own.length, 'snapshot')} of a backup that is not in the policy; --prune-removed lets all but the last good one go`;
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

function pruneAllButLast(
  backup: string,
  repository: string,
  own: readonly SnapshotRecord[],
): { readonly steps: readonly Draft[]; readonly withheld: readonly WithheldStep[] } {
  const newestGood = own.findLast(isGood);
  const newestVerified = own.findLast((snapshot) => isGood(snapshot) && verifiedAt(snapshot) !== null);
  const steps: Draft[] = [];
  const withheld: WithheldStep[] = [];
  const hold = (snapshot: SnapshotRecord, why: WithheldStep['reason']): void => {
    withheld.push({
      action: 'prune',
      address: addressOf(backup, repository),
      snapshot: snapshot.id,
      reason: why,
      source: null,
    });
  };
  for (const snapshot of own) {
    const marked = protection(snapshot);
    if (marked !== null)
      hold(snapshot, reason('protected', `protected${marked.reason === '' ? '' : `: ${marked.reason}`}`));
    else if (snapshot.protect) hold(snapshot, reason('protected', 'its backup had `protect: true`'));
    else if (snapshot === newestGood || snapshot === newestVerified)
      hold(snapshot, reason('last-good', `the last good snapshot in ${repository}`));
    else steps.push(removedStep(backup, repository, snapshot));
  }
  return { steps, withheld };
}

const removedStep = (backup: string, repository: string, snapshot: SnapshotRecord): Draft => ({
  action: 'prune',
  backup,
  kind: snapshot.kind,
  targets: Object.keys(snapshot.targets),
  repository,
  from: null,
  snapshot: snapshot.id,
  snapshotFrom: null,
  artifacts: [],
  destination: null,
  mode: null,
  hooks: [],
  estimate: { readBytes: 0, writeBytes: 0 },
  reason: reason('backup-removed', 'its backup is not in the policy', { storedBytes: snapshot.storedBytes }),
  source: null,
  destructive: true,
  dependsOn: [],
});
