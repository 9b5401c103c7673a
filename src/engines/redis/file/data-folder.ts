import { chmod, chown, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrnoCode, reasonOf, targetError, usageError } from '../../../errors.ts';
import { formatBytes } from '../../../format-bytes.ts';
import type { RedisTarget } from '../server/connection.ts';

/** The folder where a stopped server will look for its data. */
export interface DataFolder {
  readonly path: string;
  readonly isOccupied: boolean;
  /** Size of the dump that is there; null for none. */
  readonly dumpBytes: number | null;
  /** The append-only files it starts from; null where it starts from its dump. */
  readonly appendOnly: { readonly folder: string; readonly name: string } | null;
  /** Names that a restore would set aside. */
  readonly there: readonly string[];
  /** Makes something as readable as the folder's own. */
  readonly giveToServer: (path: string) => Promise<void>;
}

/** What servers call these where nobody says otherwise. */
export const DUMP = 'dump.rdb';
export const APPEND_FOLDER = 'appendonlydir';
const APPEND_NAME = 'appendonly.aof';

/** Looks into the data folder of a target. Throws `target` where there is none. */
export async function openDataFolder({ directory, appendOnly }: RedisTarget): Promise<DataFolder> {
  if (directory === undefined)
    throw usageError('cannot restore with `method: file`: nobody says into which folder', {
      hint: 'name the data folder of the server with `directory`',
    });
  const { uid, gid } = await stat(directory).catch((error: unknown) => {
    throw targetError(`cannot look into ${directory}: ${reasonOf(error)}`, {
      hint: 'correct `directory`',
      cause: error,
    });
  });
  const names = await readdir(directory).catch((error: unknown) => {
    throw targetError(`cannot look into ${directory}: ${reasonOf(error)}`, { cause: error });
  });
  const dump = names.includes(DUMP) ? await stat(join(directory, DUMP)) : null;
  const there = names.filter((name) => name === DUMP || name === APPEND_FOLDER || name === APPEND_NAME);
  const hasAppend = there.some((name) => name !== DUMP);
  return {
    path: directory,
    isOccupied: there.length > 0,
    dumpBytes: dump?.size ?? null,
    appendOnly: (appendOnly ?? hasAppend) ? { folder: APPEND_FOLDER, name: await appendName(directory) } : null,
    there,
    giveToServer: async (path) => {
      await chmod(path, (await stat(path)).isDirectory() ? 0o755 : 0o640);
      // Who is not root makes files as who is.
      await chown(path, uid, gid).catch((error: unknown) => {
        if (!hasErrnoCode(error, 'EPERM')) throw error;
      });
    },
  };
}

/** The name that the files have, which their manifest tells. */
async function appendName(directory: string): Promise<string> {
  const names = await readdir(join(directory, APPEND_FOLDER)).catch(() => []);
  const manifest = names.find((name) => name.endsWith('.manifest'));
  if (manifest === undefined) return APPEND_NAME;
  return manifest.slice(0, -'.manifest'.length);
}

/** `dump.rdb of 12 MiB, append-only files`. */
export function describeFolder({ dumpBytes, there }: DataFolder): string {
  const parts = [
    ...(dumpBytes === null ? [] : [`${DUMP} of ${formatBytes(dumpBytes)}`]),
    ...(there.some((name) => name !== DUMP) ? ['append-only files'] : []),
  ];
  return parts.length === 0 ? 'no data' : parts.join(', ');
}
