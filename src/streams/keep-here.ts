import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Context } from '../context.ts';
import type { Repository } from '../repositories/repository.ts';
import type { ManifestArtifact } from '../snapshots/manifest.ts';

/** An artifact by its whole key, and how large it is. */
export type StoredSize = Pick<ManifestArtifact, 'key' | 'storedBytes' | 'rawBytes'>;

/**
 * Gives a repository elsewhere whose artifacts stay in the private folder, as they are stored, from their first whole
 * reading on and as long as they are used: the bytes that were hashed are those that are restored, and a store that
 * counts what leaves it is asked once. Without room for what a restore itself may need, or where the folder lies in
 * memory, they are read again each time. What lies on this machine anyway is left there.
 */
export async function keepHere<T>(
  repository: Repository,
  artifacts: readonly StoredSize[],
  { workDir }: Pick<Context, 'workDir'>,
  use: (repository: Repository) => Promise<T>,
): Promise<T> {
  const sizes = new Map(artifacts.map((artifact) => [artifact.key, artifact]));
  const kept = new Map<string, string>();
  const paths: string[] = [];
  try {
    return await use({
      ...repository,
      localPath: (key) => repository.localPath(key) ?? kept.get(key),
      open: async (key) => {
        const source = await repository.open(key);
        const artifact = sizes.get(key);
        if (artifact === undefined || !(await hasRoom(workDir, artifact))) return source;
        const path = join(workDir, `artifact-${randomUUID()}`);
        paths.push(path);
        const chunks = keeping(source, path, artifact.storedBytes, () => kept.set(key, path));
        return Readable.from(chunks, { objectMode: false, highWaterMark: 1024 * 1024 });
      },
    });
  } finally {
    await Promise.all(paths.map((path) => rm(path, { force: true })));
  }
}

/** Hands on what comes and writes it down beside it; a file that cannot be written whole is given up in silence. */
async function* keeping(source: Readable, path: string, expected: number, onWhole: () => void): AsyncGenerator<Buffer> {
  let file = await open(path, 'wx', 0o600).catch(() => undefined);
  let writing: Promise<boolean> = Promise.resolve(true);
  let bytes = 0;
  const settle = async (): Promise<void> => {
    if ((await writing) || file === undefined) return;
    await discard(file, path);
    file = undefined;
  };
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      await settle();
      if (file !== undefined) writing = written(file, chunk);
      bytes += chunk.length;
      yield chunk;
    }
    await settle();
    if (file === undefined || bytes !== expected) return;
    await file.close();
    file = undefined;
    onWhole();
  } finally {
    await writing;
    if (file !== undefined) await discard(file, path);
  }
}

const written = (file: FileHandle, chunk: Buffer): Promise<boolean> =>
  file.writev([chunk]).then(
    ({ bytesWritten }) => bytesWritten === chunk.length,
    () => false,
  );

async function discard(file: FileHandle, path: string): Promise<void> {
  await file.close();
  await rm(path, { force: true });
}

/** Linux's mark of a file system that lies in memory. */
const TMPFS = 0x01021994;
/** An engine may unpack an artifact beside it and make the destination from that. */
const UNPACKED = 2;
/** How much larger than its stored form an artifact is taken to be where nothing tells. */
const USUAL_FACTOR = 8;

async function hasRoom(folder: string, { storedBytes, rawBytes }: StoredSize): Promise<boolean> {
  const { type, bavail, bsize } = await statfs(folder);
  return type !== TMPFS && bavail * bsize >= storedBytes + UNPACKED * (rawBytes ?? USUAL_FACTOR * storedBytes);
}
