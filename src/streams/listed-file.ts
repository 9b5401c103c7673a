import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { BkpError, integrityError } from '../errors.ts';
import type { Repository } from '../repositories/repository.ts';
import type { ArtifactFolder, ManifestArtifact } from '../snapshots/manifest.ts';
import type { ListedFile } from './bytes.ts';

/** A file that an artifact lists, as an artifact of its own: all that holds for those holds for it. */
export const asArtifact = (folder: Pick<ArtifactFolder, 'key'>, file: ListedFile): ManifestArtifact => ({
  key: folder.key + file.entry,
  name: file.key,
  format: 'file',
  compression: null,
  encryption: null,
  rawBytes: file.bytes,
  storedBytes: file.bytes,
  storedSha256: file.sha256,
});

/** Opens one of them by the key of its folder; its bytes end in an `integrity` error unless they are those listed. */
export async function openListed(repository: Repository, folder: string, file: ListedFile): Promise<Readable> {
  const content = await repository.open(folder + file.entry).catch((error: unknown) => {
    throw error instanceof BkpError && error.code === 'not-found' ? damaged(file, 'it is not there') : error;
  });
  return Readable.from(checked(content, file), { objectMode: false });
}

async function* checked(content: Readable, file: ListedFile): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  let count = 0;
  for await (const chunk of content as AsyncIterable<Buffer>) {
    hash.update(chunk);
    count += chunk.byteLength;
    yield chunk;
  }
  if (count === file.bytes && hash.digest('hex') === file.sha256) return;
  throw damaged(file, 'its stored bytes are not those of the list');
}

const damaged = ({ key }: ListedFile, reason: string): Error =>
  integrityError(`cannot trust ${JSON.stringify(key)}: ${reason}`, {
    hint: '`bkp verify` tells what else is damaged, `bkp plan` whether another repository can replace it',
  });
