import { targetError } from '../../../errors.ts';
import type { Session } from './connection.ts';

/** What a session is connected to. */
export interface Server {
  readonly major: number;
  /** `15.18`. */
  readonly version: string;
  /** A standby: it can be dumped, and nothing can be restored to it. */
  readonly inRecovery: boolean;
}

const OLDEST_MAJOR = 12;

/** Asks a server what it is. Throws `target` for one that is too old. */
export async function readServer(session: Session): Promise<Server> {
  const [row] = await session.query<{ readonly number: number; readonly version: string; readonly standby: boolean }>(
    `SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS version,
      pg_catalog.pg_is_in_recovery() AS standby`,
  );
  if (row === undefined) throw new Error('a server without a version');
  const major = Math.floor(row.number / 10_000);
  const version = row.version.split(' ')[0] ?? row.version;
  if (major < OLDEST_MAJOR)
    throw targetError(`cannot use a server of version ${version}: ${OLDEST_MAJOR} is the oldest that bkp knows`);
  return { major, version, inRecovery: row.standby };
}
