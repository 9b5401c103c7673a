import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Context } from '../context.ts';
import { BkpError, integrityError, throwIfAborted } from '../errors.ts';
import type { Repository } from '../repositories/repository.ts';
import type { ManifestArtifact } from '../snapshots/manifest.ts';
import { verifyStored } from '../streams/hash-stored.ts';

/** An artifact in one repository: what its manifest there says, and the folder of its snapshot. */
export interface ArtifactPlace {
  readonly repository: Repository;
  readonly folder: string;
  readonly artifact: ManifestArtifact;
}

/** The same of what is in no manifest yet. */
export interface ArrivalPlace extends Omit<ArtifactPlace, 'artifact'> {
  readonly artifact: Pick<ManifestArtifact, 'key' | 'storedBytes' | 'storedSha256'>;
}

/** The source of a copy is not what its manifest says: learned about the snapshot there, not about the receiver. */
export class DamagedSource extends BkpError {
  readonly artifact: string;

  constructor(artifact: string, cause: BkpError) {
    super(cause.code, cause.message, { hint: cause.hint, cause });
    this.artifact = artifact;
  }
}

/**
 * Copies the stored bytes of one artifact as they are. They are hashed on their way, so that a damaged source is never
 * spread, and once more where they arrived. Throws `DamagedSource`, or `integrity` when the copy differs from the manifest.
 */
export async function copyArtifact(from: ArtifactPlace, to: ArtifactPlace, context: Context): Promise<void> {
  const { storedSha256, storedBytes } = from.artifact;
  if (storedSha256 !== to.artifact.storedSha256 || storedBytes !== to.artifact.storedBytes)
    throw integrityError(`cannot copy ${from.artifact.key}: ${to.repository.location} holds it as other bytes`, {
      hint: 'only a copy that was stored as the same bytes can replace it',
    });
  await to.repository.put(keyOf(to), await openChecked(from, context), storedBytes);
  await verifyStored(to.artifact, { repository: to.repository, key: keyOf(to) }, context);
}

/** True where an artifact arrived whole in an earlier try. */
export async function hasArrived(to: ArrivalPlace, context: Context): Promise<boolean> {
  const there = await to.repository.stat(keyOf(to));
  if (there?.bytes !== to.artifact.storedBytes) return false;
  try {
    await verifyStored(to.artifact, { repository: to.repository, key: keyOf(to) }, context);
    return true;
  } catch (error) {
    if (error instanceof BkpError && (error.code === 'integrity' || error.code === 'not-found')) return false;
    throw error;
  }
}

const keyOf = ({ folder, artifact }: ArrivalPlace): string => folder + artifact.key;

/** The bytes of an artifact; they end in an error unless they are what the manifest says. */
async function openChecked(place: ArtifactPlace, context: Context): Promise<Readable> {
  const { repository, artifact } = place;
  try {
    return Readable.from(checked(await repository.open(keyOf(place)), place, context), { objectMode: false });
  } catch (error) {
    if (error instanceof BkpError && error.code === 'not-found') throw new DamagedSource(artifact.key, error);
    throw error;
  }
}

async function* checked(content: Readable, place: ArtifactPlace, context: Context): AsyncGenerator<Buffer> {
  const { key, storedBytes, storedSha256 } = place.artifact;
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of content as AsyncIterable<Buffer>) {
    throwIfAborted(context.signal);
    hash.update(chunk);
    bytes += chunk.byteLength;
    context.emit({ type: 'progress', subject: `copying ${key}`, bytes, totalBytes: storedBytes });
    yield chunk;
  }
  if (bytes === storedBytes && hash.digest('hex') === storedSha256) return;
  const what = bytes === storedBytes ? 'its SHA-256 is' : `its ${bytes} bytes are`;
  throw new DamagedSource(
    key,
    integrityError(`cannot copy ${key}: ${what} not what the manifest in ${place.repository.location} says`, {
      hint: '`bkp plan` shows what can be done without it',
    }),
  );
}
