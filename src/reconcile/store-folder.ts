import { createHash, type Hash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Context } from '../context.ts';
import type { FolderSource, OutgoingFolder } from '../engines/engine.ts';
import { guardError, integrityError } from '../errors.ts';
import type { Repository } from '../repositories/repository.ts';
import { encodeName } from '../snapshots/keys.ts';
import type { ArtifactFolder } from '../snapshots/manifest.ts';
import type { ByteSource, ListedFile } from '../streams/bytes.ts';
import type { StoredArtifact } from '../streams/store-artifact.ts';
import type { CaptureTargetInput } from './capture-target.ts';
import { type EarlierFolder, withEarlierFiles } from './earlier-files.ts';

type FolderInput = Pick<
  CaptureTargetInput,
  'target' | 'repository' | 'encryption' | 'earlier' | 'addKey' | 'progressed'
>;

/**
 * Stores an artifact that lists files: the files below a folder of their own while the list is read, which is stored as
 * any artifact is. Where it fails the folder stays, announced, for whoever cleans up.
 */
export async function storeWithFiles(
  input: FolderInput,
  source: FolderSource,
  store: (source: ByteSource) => Promise<StoredArtifact>,
  context: Context,
): Promise<{ readonly result: StoredArtifact; readonly folder: ArtifactFolder }> {
  const { repository, target, encryption } = input;
  if (encryption !== null)
    throw guardError(`cannot encrypt ${target.name}: its files are stored as they are`, {
      hint: 'leave out `method: mirror`, or keep it in a repository without encryption',
    });
  const key = `${target.name}/`;
  const folder = await input.addKey(key);
  return withEarlierFiles(input.earlier, context, async (earlier) => {
    const onProgress = (bytes: number): void => {
      input.progressed();
      context.emit({ type: 'progress', subject: target.name, bytes, totalBytes: null });
    };
    const { result, files, bytes } = await storeFiles(source, { repository, folder, earlier }, store, onProgress);
    return { result, folder: { key, files, bytes } };
  });
}

/** Stores the list of a source with its files; nothing comes into the folder any more once it is through, however it ends. */
export async function storeFiles(
  source: FolderSource,
  place: FolderPlace,
  store: (source: ByteSource) => Promise<StoredArtifact>,
  onProgress: (bytes: number) => void,
): Promise<{ readonly result: StoredArtifact; readonly files: number; readonly bytes: number }> {
  let [files, bytes] = [0, 0];
  const { outgoing, close } = openOutgoingFolder(place, (file) => {
    files++;
    bytes += file.bytes;
    onProgress(bytes);
  });
  try {
    const result = await store({ kind: 'stream', open: () => source.open(outgoing) });
    return { result, files, bytes };
  } finally {
    await close();
  }
}

/** A repository that could copy none of so many files in a row is not asked again. */
const MOST_REFUSALS = 32;
/** Read whole where it is copied. */
const SMALL_BYTES = 1024 * 1024;

export interface FolderPlace {
  readonly repository: Repository;
  /** Repository key, ending with a slash. */
  readonly folder: string;
  readonly earlier: EarlierFolder;
}

/**
 * A folder of a repository as engines fill it; `onStored` is told of every file that is there. Once it is closed nothing
 * comes any more, whatever was under way.
 */
function openOutgoingFolder(
  { repository, folder, earlier }: FolderPlace,
  onStored: (file: ListedFile) => void,
): { readonly outgoing: OutgoingFolder; close: () => Promise<void> } {
  const underWay = new Set<Promise<unknown>>();
  const streams = new Set<Readable>();
  let isClosed = false;
  let refusals = 0;
  // A folder of this machine is read faster than what is mirrored into it.
  const isHere = repository.localPath(folder + 'x') !== undefined;
  const storing = async <T>(work: () => Promise<T>): Promise<T> => {
    if (isClosed) throw new Error('the folder is closed');
    const running = work();
    const settled = running.then(
      () => undefined,
      () => undefined,
    );
    underWay.add(settled);
    try {
      return await running;
    } finally {
      underWay.delete(settled);
    }
  };
  const stored = (file: ListedFile): ListedFile => {
    onStored(file);
    return file;
  };

  async function putStream(
    entry: string,
    content: Readable,
    hash: Hash,
    expectedBytes: number,
  ): Promise<{ readonly bytes: number }> {
    const hashed = Readable.from(tapped(content, hash), { objectMode: false });
    streams.add(content);
    try {
      return await repository.put(folder + entry, hashed, expectedBytes);
    } finally {
      streams.delete(content);
    }
  }

  async function put(key: string, content: Buffer | Readable, bytes: number): Promise<ListedFile> {
    const entry = encodeName(key);
    const hash = createHash('sha256');
    const written = Buffer.isBuffer(content)
      ? await repository.put(folder + entry, (hash.update(content), content), bytes)
      : await putStream(entry, content, hash, bytes);
    if (written.bytes === bytes) return stored({ key, entry, bytes, sha256: hash.digest('hex') });
    await repository.remove(folder + entry);
    throw integrityError(`cannot store ${JSON.stringify(key)}: ${written.bytes} of ${bytes} bytes were written`);
  }

  async function keep({ key, entry: before, bytes, sha256 }: ListedFile): Promise<ListedFile | undefined> {
    const entry = encodeName(key);
    const file = { key, entry, bytes, sha256 };
    if (refusals < MOST_REFUSALS) {
      if (await repository.clone(earlier.folder + before, folder + entry, bytes)) {
        refusals = 0;
        return stored(file);
      }
      refusals++;
    }
    return isHere && (await copyHere({ ...file, entry: before }, entry)) ? stored(file) : undefined;
  }

  /** Copies an earlier file that lies on this machine; false where it is not what its list says. */
  async function copyHere({ entry: before, bytes, sha256 }: ListedFile, entry: string): Promise<boolean> {
    const from = earlier.folder + before;
    if ((await repository.stat(from))?.bytes !== bytes) return false;
    const hash = createHash('sha256');
    const content = bytes > SMALL_BYTES ? await repository.open(from) : await repository.read(from);
    if (Buffer.isBuffer(content)) {
      if (hash.update(content).digest('hex') !== sha256) return false;
      await repository.put(folder + entry, content, bytes);
      return true;
    }
    await putStream(entry, content, hash, bytes);
    if (hash.digest('hex') === sha256) return true;
    await repository.remove(folder + entry);
    return false;
  }

  return {
    outgoing: {
      earlier: async (key) => (isHere || refusals < MOST_REFUSALS ? earlier.find(key) : undefined),
      put: (key, content, bytes) => storing(() => put(key, content, bytes)),
      keep: (file) => storing(() => keep(file)),
    },
    close: async () => {
      isClosed = true;
      for (const content of streams) content.destroy(new Error('stopped'));
      await Promise.all(underWay);
    },
  };
}

async function* tapped(content: Readable, hash: Hash): AsyncGenerator<Buffer> {
  for await (const chunk of content as AsyncIterable<Buffer>) {
    hash.update(chunk);
    yield chunk;
  }
}
