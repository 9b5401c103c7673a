import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../../../context.ts';
import { createFileWriter } from '../../databases/file-writer.ts';
import type { IncomingArtifact } from '../../engine.ts';
import { requireFreeSpace } from '../../free-space.ts';
import { createCustomArchiveReader } from './custom-archive.ts';
import { archiveFacts, type DumpFacts } from './dump-facts.ts';
import { createTarArchiveReader } from './tar-archive.ts';
import { tellPositions } from './tell-positions.ts';

/** A stored dump as it lies on the disk, private to this run. */
export interface UnpackedDump {
  readonly path: string;
  remove(): Promise<void>;
}

/** One that was read whole before. */
export interface CountedDump extends UnpackedDump {
  readonly facts: DumpFacts;
}

/**
 * All of a dump that pg_restore reads from the disk, counted on the way. Throws `integrity` unless all of it was there: of a
 * tar that is cut pg_restore awaits the rest for ever, and nobody stops it where this process was killed.
 */
export async function unpackWhole(
  form: 'directory' | 'tar',
  artifact: IncomingArtifact,
  context: Context,
): Promise<CountedDump> {
  if (artifact.rawBytes !== null) await requireFreeSpace(context.workDir, artifact.rawBytes, 'unpack the dump');
  const folder = await makeFolder(context);
  const files = createFileWriter(folder.path);
  const reader = createTarArchiveReader(form, form === 'directory' ? files : undefined);
  return removeUnless(folder, async () => {
    try {
      if (form === 'tar') files.begin(TAR);
      await pushAll(artifact, (chunk) => {
        reader.push(chunk);
        if (form === 'tar') files.data(chunk);
      });
    } finally {
      files.close();
    }
    const path = form === 'tar' ? join(folder.path, TAR) : folder.path;
    return { ...folder, path, facts: archiveFacts(reader.end()) };
  });
}

const TAR = 'dump.tar';

const ENOUGH = new Error('enough was read');

/** A folder with the table of contents alone, which is all that a look at the definitions takes; the rest is not read. */
export async function unpackToc(artifact: IncomingArtifact, context: Context): Promise<UnpackedDump> {
  const folder = await makeFolder(context);
  const files = createFileWriter(folder.path);
  const reader = createTarArchiveReader('directory', {
    ...files,
    end() {
      files.end();
      throw ENOUGH;
    },
  });
  return removeUnless(folder, async () => {
    try {
      await pushAll(artifact, (chunk) => reader.push(chunk));
      reader.end();
    } catch (error) {
      if (error !== ENOUGH) throw error;
    } finally {
      files.close();
    }
    return folder;
  });
}

/**
 * A dump in the custom format as one file in which every table is found at once. Throws `integrity` unless all of it was
 * there.
 */
export async function unpackFile(artifact: IncomingArtifact, context: Context): Promise<UnpackedDump> {
  if (artifact.rawBytes !== null) await requireFreeSpace(context.workDir, artifact.rawBytes, 'unpack the dump');
  const folder = await makeFolder(context);
  const files = createFileWriter(folder.path);
  const reader = createCustomArchiveReader();
  return removeUnless(folder, async () => {
    files.begin(FILE);
    try {
      await pushAll(artifact, (chunk) => {
        reader.push(chunk);
        files.data(chunk);
      });
    } finally {
      files.close();
    }
    const path = join(folder.path, FILE);
    await tellPositions(path, reader.end());
    return { ...folder, path };
  });
}

const FILE = 'dump';

async function makeFolder(context: Context): Promise<UnpackedDump> {
  const path = join(context.workDir, `pg-dump-${randomUUID()}`);
  await mkdir(path, { mode: 0o700 });
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

async function removeUnless<T>(dump: UnpackedDump, fill: () => Promise<T>): Promise<T> {
  try {
    return await fill();
  } catch (error) {
    await dump.remove();
    throw error;
  }
}

const pushAll = (artifact: IncomingArtifact, push: (chunk: Buffer) => void): Promise<void> =>
  artifact.into({
    kind: 'reader',
    async read(raw) {
      for await (const chunk of raw) push(chunk as Buffer);
    },
  });
