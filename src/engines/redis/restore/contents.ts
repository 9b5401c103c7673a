import { guardError, type BkpError } from '../../../errors.ts';
import { type RedisTarget, serverOf } from '../server/connection.ts';
import { listLibraries, readInfo, type ServerInfo, sumOf } from '../server/server-info.ts';
import type { Session } from '../server/session.ts';

/** What stands on a server where a restore would write. */
export interface Contents {
  readonly info: ServerInfo;
  readonly keys: number;
  readonly libraries: readonly string[];
  /** The snapshot of which a killed restore has brought a part to a server that was empty; null for none. */
  readonly interrupted: string | null;
}

/** There while a restore fills an empty server, so that the next one knows whose the keys are. */
export const FILLING_KEY = 'bkp:filling';

export async function readContents(session: Session): Promise<Contents> {
  const info = await readInfo(session);
  const interrupted = (info.keys['0'] ?? 0) > 0 ? await session.command('GET', FILLING_KEY).catch(() => null) : null;
  const libraries = await listLibraries(session);
  return {
    info,
    keys: sumOf(info.keys) - (interrupted === null ? 0 : 1),
    libraries,
    interrupted: interrupted === null ? null : String(interrupted),
  };
}

/** `1,204 keys in 2 databases, 1 library of functions`. */
export function describeContents({ info, keys, libraries }: Contents): string {
  const databases = Object.keys(info.keys).length;
  const parts = [
    ...(keys === 0 ? [] : [`${count(keys, 'key')}${databases > 1 ? ` in ${databases} databases` : ''}`]),
    ...(libraries.length === 0 ? [] : [`${count(libraries.length, 'library', 'libraries')} of functions`]),
  ];
  return parts.length === 0 ? 'server without keys' : parts.join(', ');
}

const count = (number: number, one: string, many: string = `${one}s`): string =>
  `${number.toLocaleString('en')} ${number === 1 ? one : many}`;

export const isOccupied = ({ keys, libraries }: Contents): boolean => keys > 0 || libraries.length > 0;

export function occupiedError(target: RedisTarget, contents: Contents): BkpError {
  return guardError(`cannot restore into redis at ${serverOf(target)}: it holds ${describeContents(contents)}`, {
    hint: '`--mode replace` exchanges everything, `--mode merge` adds the keys that are missing',
  });
}
