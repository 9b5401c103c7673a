import type { RepositoryInventory, SnapshotRecord } from '../snapshots/inventory.ts';
import { byStart, type BackupView } from './backup-view.ts';
import { addressOf } from './draft.ts';
import { count } from './phrases.ts';
import { reason } from './reasons.ts';
import type { PlanNotice, WithheldStep } from './step.ts';

/** Snapshots that lack the signature the policy asks for: they stay, whatever retention says, and nothing rests on them. */
export const withheldUnsigned = ({ backup, repositories }: BackupView): readonly WithheldStep[] =>
  repositories.flatMap(({ name, unsigned }) =>
    [...unsigned.values()]
      .toSorted(byStart)
      .map((snapshot) => withheld(addressOf(backup.name, name), snapshot, backup.source)),
  );

/** The same for one of a backup that left the policy. */
export const withheld = (
  address: string,
  { id, unsigned = '' }: SnapshotRecord,
  source: WithheldStep['source'],
): WithheldStep => ({
  action: 'prune',
  address,
  snapshot: id,
  reason: reason(
    'unsigned',
    `${unsigned}: it never counts, is not restored and not removed until \`bkp sign\` adopts it`,
  ),
  source,
});

/** Marks that were left out of account, and signatures that somebody must have changed. */
export function noticeUnsigned(repository: string, inventory: RepositoryInventory): readonly PlanNotice[] {
  const { ignoredMarks = [], snapshots } = inventory;
  const wrong = snapshots.filter(({ unsigned, signedBy }) => unsigned !== undefined && signedBy === null);
  const byBackup = new Map<string, Map<string, number>>();
  for (const { backup, kind } of ignoredMarks) {
    const kinds = byBackup.get(backup) ?? new Map<string, number>();
    byBackup.set(backup, kinds.set(kind, (kinds.get(kind) ?? 0) + 1));
  }
  return [
    ...wrong.map(({ backup, id }) => ({
      code: 'drift',
      message: `the signature in manifest ${backup}/${id} in ${repository} is wrong: it was changed, or is not where it was made`,
      hint: null,
      address: addressOf(backup, repository),
    })),
    ...Array.from(byBackup, ([backup, kinds]) => {
      const total = [...kinds.values()].reduce((sum, many) => sum + many, 0);
      const which = Array.from(kinds, ([kind, many]) => `${many} ${kind}`)
        .toSorted()
        .join(', ');
      return {
        code: 'unsigned',
        message: `${count(total, 'mark')} of ${addressOf(backup, repository)} without a signature that counts left out of account (${which})`,
        hint: 'made before the policy asked for signatures, with a key that left it, or by somebody else',
        address: addressOf(backup, repository),
      };
    }),
  ];
}
