import { shellQuote } from '../shell-quote.ts';
import type { PostgresTarget } from './connection.ts';

/** What a person types to bring the database back; asks for the password, or takes it from ~/.pgpass. */
export function nativeRestore(
  { host = 'localhost', port = 5432, socket, user = 'postgres', database }: PostgresTarget,
  { decode }: { readonly decode: string },
): string {
  const to = `-h ${shellQuote(socket ?? host)} -p ${port} -U ${shellQuote(user)}`;
  const name = shellQuote(database);
  return `createdb ${to} -T template0 -- ${name} && ${decode} | pg_restore ${to} -1 -d ${name}`;
}
