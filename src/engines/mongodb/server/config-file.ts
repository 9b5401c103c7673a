import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../../../context.ts';
import { connectionString, type MongodbTarget } from './uri.ts';

/** How MongoDB's own programs reach a server: by a file that only we can read. */
export interface ConfigFile {
  readonly path: string;
  close(): Promise<void>;
}

/** The file of `--config`: the whole connection string, since neither argv nor the environment of a process is private. */
export async function openConfigFile(target: MongodbTarget, context: Context): Promise<ConfigFile> {
  const path = join(context.workDir, `mongo-${randomUUID()}.yaml`);
  await writeFile(path, `uri: ${JSON.stringify(connectionString(target))}\n`, { mode: 0o600, flag: 'wx' });
  return { path, close: () => rm(path, { force: true }) };
}
