import type { Clock } from '../context.ts';
import type { Repository } from '../repositories/repository.ts';
import { keptVersions } from './kept-versions.ts';
import { MANIFESTS, marksOf, parseDocumentKey, parseMarkKey, parseSnapshotFolder, SNAPSHOTS } from './keys.ts';
import { CLEANED } from './manifest.ts';
import { readMark, type StoredMark } from './marks.ts';
import { forgetOldRuns } from './runs.ts';

const KEPT_MS = 90 * 86_400_000;

/**
 * Why a snapshot was released that would not be wanted again if it came back: retention would let it go once more. What
 * a person destroyed or restored is remembered for good.
 */
const FORGETTABLE: readonly unknown[] = ['retention-exceeded', 'superseded', 'expired', CLEANED];

/**
 * Removes what nothing depends on any more: run records older than 90 days, and the marks of snapshots that retention let
 * go that long ago. Returns how many.
 */
export async function forgetOld(
  repository: Repository,
  backup: string,
  context: { readonly clock: Clock },
): Promise<number> {
  const before = new Date(context.clock.now().getTime() - KEPT_MS);
  return (await forgetOldRuns(repository, backup, before)) + (await forgetOldMarks(repository, backup, before));
}

async function forgetOldMarks(repository: Repository, backup: string, before: Date): Promise<number> {
  const old = await oldMarks(repository, backup, before);
  if (old.size === 0) return 0;
  const present = await presentIds(repository, backup);
  let removed = 0;
  for (const [id, keys] of old) {
    if (present.has(id)) continue;
    const marks = await Promise.all(keys.map((key) => readMark(repository, key, '')));
    if (!marks.every(isForgettable) || !marks.some((mark) => mark?.kind === 'released')) continue;
    for (const key of keys) await repository.remove(key);
    removed += keys.length;
  }
  return removed;
}

const isForgettable = (mark: StoredMark | undefined): boolean =>
  mark !== undefined &&
  mark.kind !== 'restored' &&
  (mark.kind !== 'released' || FORGETTABLE.includes(mark.data['reason']));

/** Keys of marks by snapshot, of those whose newest mark is old. */
async function oldMarks(
  repository: Repository,
  backup: string,
  before: Date,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const keys = new Map<string, string[]>();
  const young = new Set<string>();
  for (const key of await repository.list(marksOf(backup), 'shallow')) {
    const name = parseMarkKey(key);
    if (name === undefined) continue;
    if (name.at >= before.toISOString()) young.add(name.id);
    else keys.set(name.id, [...(keys.get(name.id) ?? []), key]);
  }
  return new Map([...keys].filter(([id]) => !young.has(id)));
}

async function presentIds(repository: Repository, backup: string): Promise<ReadonlySet<string>> {
  const manifests = await repository.list(`${MANIFESTS}${backup}/`, 'shallow');
  const folders = await repository.list(`${SNAPSHOTS}${backup}/`, 'shallow');
  // Where the credentials may not remove versions, the mark is all that tells a removal from an attack.
  const left = (await (await keptVersions(repository))?.list(`${MANIFESTS}${backup}/`)) ?? [];
  return new Set([
    ...left.flatMap(({ key }) => parseDocumentKey(key)?.id ?? []),
    ...manifests.flatMap((key) => parseDocumentKey(key)?.id ?? []),
    ...folders.flatMap((key) => parseSnapshotFolder(key)?.id ?? []),
  ]);
}
