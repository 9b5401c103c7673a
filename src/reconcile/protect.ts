import { BkpError } from '../errors.ts';
import { addMark } from '../snapshots/marks.ts';
import { holdSnapshot } from '../snapshots/object-lock.ts';
import { artifactKeys } from '../snapshots/manifest-codec.ts';
import type { FoundSnapshot, SnapshotPlace } from './find-snapshot.ts';
import { requireManifest } from './require-manifest.ts';
import type { Session } from './session.ts';

/** What became of a hold that a protection asks the store for. */
export interface Held {
  readonly repository: string;
  /** `unknown` where the place cannot hold objects: then the mark alone protects. */
  readonly hold: 'set' | 'lifted' | 'refused' | 'unknown';
  readonly message: string | null;
  readonly hint: string | null;
}

/**
 * Protects a snapshot in every repository that has it, or ends that: by a mark, which every plan obeys, and where the
 * store can by a legal hold of every object, which everybody must obey. The hold is lifted after the mark is set, so that
 * what a mark protects is held as long.
 */
export async function markProtection(
  session: Session,
  { id, places }: FoundSnapshot,
  kind: 'protected' | 'unprotected',
  reason: string,
): Promise<readonly Held[]> {
  const { policy, context } = session;
  const held: Held[] = [];
  for (const place of places) {
    const { backup } = place.record;
    await addMark(place.repository, { backup, id, policy: policy.name, kind, data: { reason } }, null, context);
    held.push(await hold(place, kind === 'protected'));
  }
  return held;
}

async function hold({ name, repository, record }: SnapshotPlace, isHeld: boolean): Promise<Held> {
  try {
    const manifest = await requireManifest(repository, record);
    const isDone = await holdSnapshot(repository, record, artifactKeys(manifest), isHeld);
    const done = isHeld ? ('set' as const) : ('lifted' as const);
    return { repository: name, hold: isDone ? done : 'unknown', message: null, hint: null };
  } catch (error) {
    if (!(error instanceof BkpError) || error.code === 'interrupted') throw error;
    return { repository: name, hold: 'refused', message: error.message, hint: error.hint ?? null };
  }
}
