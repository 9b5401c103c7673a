import type { MarkRecord, SnapshotRecord } from './inventory.ts';
import type { MarkKind } from './manifest.ts';

type Standing = Pick<SnapshotRecord, 'kind' | 'status' | 'marks' | 'folderPresent' | 'unsigned'>;

/** The newest mark of one of the given kinds. */
export function newestMark(marks: readonly MarkRecord[], ...kinds: readonly MarkKind[]): MarkRecord | undefined {
  let newest: MarkRecord | undefined;
  for (const mark of marks) {
    if (kinds.includes(mark.kind) && (newest === undefined || mark.at >= newest.at)) newest = mark;
  }
  return newest;
}

/**
 * True when a mark or a missing folder says that stored bytes are not what the manifest says. A later check clears it;
 * what the engine's own check found, only the engine's own check.
 */
export function isDamaged({ marks, folderPresent }: Pick<Standing, 'marks' | 'folderPresent'>): boolean {
  if (!folderPresent) return true;
  const damaged = newestMark(marks, 'damaged');
  if (damaged === undefined) return false;
  const isDeep = (mark: MarkRecord): boolean => mark.data['deep'] === true;
  return !marks.some((mark) => mark.kind === 'verified' && mark.at >= damaged.at && (isDeep(mark) || !isDeep(damaged)));
}

/** Its removal began: it may vanish at any moment and nothing may rest on it. */
export function isBeingRemoved({ marks }: Pick<Standing, 'marks'>): boolean {
  return marks.some(({ kind, data }) => kind === 'released' && Array.isArray(data['keys']) && data['keys'].length > 0);
}

/** Good: a whole snapshot of kind backup or adopted that counts, that stays and that nothing says is damaged. */
export function isGood(snapshot: Standing): boolean {
  return (
    snapshot.unsigned === undefined &&
    snapshot.kind !== 'safety' &&
    snapshot.status === 'created' &&
    !isDamaged(snapshot) &&
    !isBeingRemoved(snapshot)
  );
}

/** When the stored bytes were last hashed and right, ISO; null when never or when damage was found since. */
export function verifiedAt(snapshot: Pick<Standing, 'marks' | 'folderPresent'>): string | null {
  return isDamaged(snapshot) ? null : (newestMark(snapshot.marks, 'verified')?.at ?? null);
}

/** When the engine's own full check last passed, ISO; null when never or when damage was found since. */
export function deepVerifiedAt(snapshot: Pick<Standing, 'marks' | 'folderPresent'>): string | null {
  if (isDamaged(snapshot)) return null;
  return (
    newestMark(
      snapshot.marks.filter((mark) => mark.data['deep'] === true),
      'verified',
    )?.at ?? null
  );
}

/** The protection in force, by the newest of its marks: the reason given, or null. */
export function protection(snapshot: Pick<Standing, 'marks'>): { readonly reason: string } | null {
  const mark = newestMark(snapshot.marks, 'protected', 'unprotected');
  if (mark?.kind !== 'protected') return null;
  return { reason: typeof mark.data['reason'] === 'string' ? mark.data['reason'] : '' };
}
