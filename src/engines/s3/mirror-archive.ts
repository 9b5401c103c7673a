import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { finished } from 'node:stream/promises';
import type { Context } from '../../context.ts';
import { eachInOrder } from '../../each-limited.ts';
import { readLines } from '../../read-lines.ts';
import type { IncomingArtifact } from '../engine.ts';
import { createEntryNames } from './entry-name.ts';
import { OBJECTS_AT_ONCE } from './mirror-objects.ts';
import type { ObjectRecord } from './object-record.ts';
import { packArchive } from './pack-archive.ts';
import { readList, readListed } from './read-list.ts';

/** The format of an artifact that lists objects. */
export const MIRROR = 's3-objects';

type OpenFile = NonNullable<IncomingArtifact['openFile']>;

/** Mirrors as the archives that they would have been: all that reads those reads them. */
export const asArchives = (artifacts: readonly IncomingArtifact[], context: Context): readonly IncomingArtifact[] =>
  artifacts.map((artifact) =>
    artifact.format !== MIRROR || artifact.openFile === undefined
      ? artifact
      : archiveOf(artifact, artifact.openFile, context),
  );

const archiveOf = (artifact: IncomingArtifact, openFile: OpenFile, { workDir }: Context): IncomingArtifact => ({
  name: artifact.name,
  format: 's3-tar',
  rawBytes: null,
  into: async (sink) => {
    if (sink.kind !== 'reader') throw new Error('a mirror is read in this process only');
    const folder = await mkdtemp(join(workDir, 's3-'));
    try {
      const list = join(folder, 'list');
      await artifact.into({ kind: 'file', path: list });
      const reader = readList();
      for await (const chunk of createReadStream(list)) reader.push(chunk as Buffer);
      reader.end();
      await read(packListed({ list, openFile, scratch: join(folder, 'metadata') }), (raw) => sink.read(raw));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
});

/** What breaks the stream is told, not what its reader makes of it; nothing runs any more afterwards. */
async function read(raw: Readable, use: (raw: Readable) => Promise<void>): Promise<void> {
  const ended = finished(raw, { writable: false });
  ended.catch(() => undefined);
  try {
    await use(raw);
    raw.resume();
  } catch (error) {
    if (raw.errored !== null && raw.errored.name !== 'AbortError') throw raw.errored;
    raw.destroy();
    throw error;
  }
  await ended;
}

interface Packing {
  readonly list: string;
  readonly openFile: OpenFile;
  /** Where the lines of the metadata entry are collected. */
  readonly scratch: string;
}

const packListed = ({ list, openFile, scratch }: Packing): Readable =>
  packArchive(scratch, async function* (add) {
    const nameOf = createEntryNames();
    const objects = eachInOrder(recordsIn(list), OBJECTS_AT_ONCE, (one) => fetch(one, openFile));
    for await (const { record, small } of objects) {
      const entry = nameOf(record.key);
      await add({ name: entry, size: record.bytes }, small ?? (await openFile(record)));
      yield { ...record, entry };
    }
  });

const SMALL_BYTES = 1024 * 1024;

/** Small objects are read ahead; a large one in its turn. */
const fetch = async (
  record: ObjectRecord,
  openFile: OpenFile,
): Promise<{ readonly record: ObjectRecord; readonly small: Buffer | undefined }> => ({
  record,
  small: record.bytes > SMALL_BYTES ? undefined : await buffer(await openFile(record)),
});

async function* recordsIn(list: string): AsyncGenerator<ObjectRecord> {
  for await (const line of readLines(list)) {
    const record = readListed(line);
    if (record !== null) yield record;
  }
}
