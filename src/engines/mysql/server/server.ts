import { targetError } from '../../../errors.ts';
import type { Session } from './connection.ts';

export type Family = 'mysql' | 'mariadb';

/** What a session is connected to. */
export interface Server {
  readonly family: Family;
  /** `8.0.31`, `10.11.19`. */
  readonly version: string;
  /** Takes no writes from this user. */
  readonly isReadOnly: boolean;
  /** Names of databases and tables are told apart by their letters alone. */
  readonly foldsNames: boolean;
}

const OLDEST: Readonly<Record<Family, string>> = { mysql: '8.0', mariadb: '10.6' };
const NAMES: Readonly<Record<Family, string>> = { mysql: 'MySQL', mariadb: 'MariaDB' };

/** Asks a server what it is. Throws `target` for one that is too old. */
export async function readServer(session: Session): Promise<Server> {
  const [row] = await session.query<
    Readonly<Record<'version' | 'comment', string> & Record<'readOnly' | 'folded', number>>
  >(
    `SELECT VERSION() AS version, @@version_comment AS comment, @@global.read_only AS readOnly,
       @@global.lower_case_table_names AS folded`,
  );
  if (row === undefined) throw new Error('a server without a version');
  const family: Family = /mariadb/i.test(`${row.version} ${row.comment}`) ? 'mariadb' : 'mysql';
  const version = /\d+\.\d+(?:\.\d+)?/.exec(row.version)?.[0] ?? row.version;
  if (isOlder(version, OLDEST[family]))
    throw targetError(`cannot use ${NAMES[family]} ${version}: ${OLDEST[family]} is the oldest that bkp knows`);
  return { family, version, isReadOnly: Number(row.readOnly) !== 0, foldsNames: Number(row.folded) !== 0 };
}

/** `MariaDB 10.11.19`. */
export const serverName = ({ family, version }: Pick<Server, 'family' | 'version'>): string =>
  `${NAMES[family]} ${version}`;

export const familyName = (family: Family): string => NAMES[family];

/** Compares versions number by number. */
export function isOlder(version: string, than: string): boolean {
  const [one, other] = [version, than].map((text) => text.split('.').map(Number));
  for (const [index, wanted] of (other ?? []).entries()) {
    const found = one?.[index] ?? 0;
    if (found !== wanted) return found < wanted;
  }
  return false;
}
