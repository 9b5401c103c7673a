import { shellQuote } from '../../shell-quote.ts';
import type { PostgresConfig } from '../server/connection.ts';
import { databaseArgument } from '../server/database-argument.ts';
import { GLOBALS_FORMAT } from './globals.ts';

interface DumpToType {
  /** The database, where the target has several. */
  readonly name: string;
  readonly format: string;
  /** Writes the dump to stdout. */
  readonly decode: string;
}

/** What a person types to bring a database back; asks for the password, or takes it from ~/.pgpass. */
export function nativeRestore(
  { host = 'localhost', port = 5432, socket, user = 'postgres', database }: PostgresConfig,
  { name, format, decode }: DumpToType,
): string {
  const to = `-h ${shellQuote(socket ?? host)} -p ${port} -U ${shellQuote(user)}`;
  // What exists is an error that may be passed over: roles are made or are there.
  if (format === GLOBALS_FORMAT) return `${decode} | psql ${to} -X -d postgres`;
  const into = name === '' ? (database ?? 'postgres') : name;
  const filled = fill(format, decode, `${to} -1 -d ${shellQuote(databaseArgument(into))}`);
  return `createdb ${to} -T template0 -- ${shellQuote(into)} && ${filled}`;
}

function fill(format: string, decode: string, place: string): string {
  if (format === 'pg-plain') return `${decode} | psql ${place} -X -q -v ON_ERROR_STOP=1`;
  if (format !== 'pg-directory') return `${decode} | pg_restore ${place}`;
  return `d=$(mktemp -d) && ${decode} | tar -xf - -C "$d" && pg_restore ${place} "$d" && rm -r "$d"`;
}
