import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../../../src/context.ts';
import type { TargetOf } from '../../../src/engines/engine.ts';
import { openArchiveInspector } from '../../../src/engines/mongodb/archive/archive-facts.ts';
import { ARCHIVE_FORMAT } from '../../../src/engines/mongodb/archive/read-archive.ts';
import { storeArtifact } from '../../../src/streams/store-artifact.ts';
import { connectionOf } from '../../services/connection.ts';
import { newRepository, SNAPSHOT, type Taken } from '../workbench.ts';

export const SERVER = 'ferretdb-2.7.0';

/** A database of the test server, as a target of somebody who may everything. */
export function targetOf(database: string): TargetOf<'mongodb'> & { readonly database: string } {
  const { host = '', port = '', user = '', password = '', tools = '' } = connectionOf(SERVER);
  return { type: 'mongodb', host, port: Number(port), user, password, tools, database };
}

/** An archive that no tool wrote, stored as if it had been captured. */
export async function storeArchive(bytes: Buffer, folder: string, context: Context): Promise<Taken> {
  const path = join(folder, `recorded-${bytes.length}.archive`);
  await writeFile(path, bytes);
  const repository = await newRepository(folder, context);
  const key = `snapshots/test/${SNAPSHOT}/${bytes.length}.archive.zst`;
  const source = { kind: 'file', path } as const;
  const described = { name: '', extension: 'archive', format: ARCHIVE_FORMAT, estimatedBytes: null };
  const artifact = { ...described, source, inspect: { open: openArchiveInspector } };
  const compression = { method: 'zstd', level: 1 } as const;
  const { facts, rawBytes, storedBytes, storedSha256 } = await storeArtifact(
    { artifact, compression, threads: 1, repository, key },
    context,
  );
  const stored = { key, name: '', format: ARCHIVE_FORMAT, compression: 'zstd', encryption: null } as const;
  return { repository, artifacts: [{ ...stored, rawBytes, storedBytes, storedSha256 }], facts: facts ?? {} };
}
