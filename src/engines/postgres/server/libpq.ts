import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../../../context.ts';
import type { PostgresTarget } from './connection.ts';
import { libpqTls } from './tls.ts';

/** How PostgreSQL's own programs reach a server: their environment, and the file behind it. */
export interface Libpq {
  readonly env: Readonly<Record<string, string>>;
  /** Removes the password file. */
  close(): Promise<void>;
}

/** pg_restore lifts the time limits of a role, but not this one. */
const MAY_WRITE = '-c default_transaction_read_only=off';

/** Passwords stand in a file that only we can read: neither argv nor the environment of a process is private. */
export async function openLibpq(
  target: PostgresTarget,
  context: Context,
  database: string = target.database,
): Promise<Libpq> {
  const { host = 'localhost', port = 5432, socket, user = 'postgres', password, options } = target;
  const passFile = join(context.workDir, `pgpass-${randomUUID()}`);
  const line = ['*', '*', '*', user, password ?? '']
    .map((field, index) => (index < 3 ? field : escapeField(field)))
    .join(':');
  await writeFile(passFile, password === undefined ? '' : `${line}\n`, { mode: 0o600, flag: 'wx' });
  return {
    env: {
      PGHOST: socket ?? host,
      PGPORT: String(port),
      PGUSER: user,
      PGDATABASE: database,
      PGPASSFILE: passFile,
      PGAPPNAME: 'bkp',
      PGCONNECT_TIMEOUT: '15',
      ...libpqTls(target, join(context.workDir, `nothing-${randomUUID()}`)),
      PGOPTIONS: options === undefined ? MAY_WRITE : `${MAY_WRITE} ${options}`,
    },
    close: () => rm(passFile, { force: true }),
  };
}

const escapeField = (field: string): string => field.replaceAll(/[\\:]/g, String.raw`\$&`);
