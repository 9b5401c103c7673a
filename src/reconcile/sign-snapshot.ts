import { integrityError } from '../errors.ts';
import { addMark } from '../snapshots/marks.ts';
import { readSnapshot } from '../snapshots/read-snapshot.ts';
import type { FoundSnapshot } from './find-snapshot.ts';
import { stoppable, type Session } from './session.ts';
import { verifySnapshot } from './verify-snapshot.ts';

/** What became of one snapshot in one repository. */
export interface SignedPlace {
  readonly snapshot: string;
  readonly repository: string;
  /** `counted`: it had a signature that counts. `refused`: what is stored is not what the manifest says. */
  readonly outcome: 'signed' | 'counted' | 'refused';
  readonly message: string | null;
}

/**
 * Adopts a snapshot whose manifest lacks a signature that counts: every stored byte is hashed, then a mark signs the
 * manifest as it was read, and another says that it was verified. Marks that do not count stay so.
 */
export async function signSnapshot(session: Session, found: FoundSnapshot): Promise<readonly SignedPlace[]> {
  const { policy, context } = session;
  const done: SignedPlace[] = [];
  for (const { name, repository, record } of found.places) {
    const { backup, id } = record;
    const at = { snapshot: `${found.backup.name}@${id}`, repository: name };
    const stored = await readSnapshot(repository, { backup, id }, context);
    if (stored?.ok !== true)
      throw integrityError(`cannot sign ${at.snapshot} in ${name}: ${stored?.message ?? 'its manifest is gone'}`);
    const { manifest, sha256, record: now } = stored.value;
    if (now.unsigned === undefined) {
      done.push({ ...at, outcome: 'counted', message: null });
      continue;
    }
    const { damaged } = await verifySnapshot(repository, manifest, backup, false, policy, stoppable(session));
    session.signal.throwIfAborted();
    if (damaged.length > 0) {
      done.push({ ...at, outcome: 'refused', message: damaged.map(({ reason }) => reason).join('; ') });
      continue;
    }
    const mark = { backup, id, policy: policy.name };
    await addMark(repository, { ...mark, kind: 'signed', data: { manifestSha256: sha256 } }, null, context);
    await addMark(repository, { ...mark, kind: 'verified', data: { deep: false } }, null, context);
    done.push({ ...at, outcome: 'signed', message: null });
  }
  return done;
}
