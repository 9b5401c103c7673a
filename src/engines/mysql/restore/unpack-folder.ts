import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../../../context.ts';
import { createFileWriter } from '../../databases/file-writer.ts';
import type { Facts, IncomingArtifact } from '../../engine.ts';
import { requireFreeSpace } from '../../free-space.ts';
import { readWhole } from '../../read-whole.ts';
import { createFolderReader, ROWS_FOLDER, TABLES_FILE } from '../dump/folder-reader.ts';
import type { Statement } from '../dump/statement.ts';

/** The files of a dump as they lie on the disk, private to this run. */
export interface UnpackedFolder {
  /** The path of what makes the tables. */
  readonly tables: string;
  /** Paths of files with rows. */
  readonly rows: readonly string[];
  readonly facts: Facts;
  remove(): Promise<void>;
}

/** Unpacks a dump and counts it. Throws `integrity` unless all of it was there: nothing of a cut one is run. */
export async function unpackFolder(
  artifact: IncomingArtifact,
  onDefinition: (statement: Statement, text: Buffer) => void,
  context: Context,
): Promise<UnpackedFolder> {
  if (artifact.rawBytes !== null) await requireFreeSpace(context.workDir, artifact.rawBytes, 'unpack the dump');
  const folder = join(context.workDir, `mydumper-${randomUUID()}`);
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const rows: string[] = [];
  const files = createFileWriter(folder);
  const reader = createFolderReader({
    ...files,
    definition: onDefinition,
    begin(name) {
      if (name !== TABLES_FILE) rows.push(join(folder, name));
      files.begin(name);
    },
  });
  try {
    await mkdir(join(folder, ROWS_FOLDER), { recursive: true, mode: 0o700 });
    const facts = await readWhole(artifact, reader);
    return { tables: join(folder, TABLES_FILE), rows, facts, remove };
  } catch (error) {
    await remove();
    throw error;
  } finally {
    files.close();
  }
}
