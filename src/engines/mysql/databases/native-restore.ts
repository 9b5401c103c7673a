import { shellQuote } from '../../shell-quote.ts';
import type { MysqlConfig } from '../server/connection.ts';
import { FOLDER_FORMAT } from '../dump/format.ts';
import { USERS_FORMAT } from '../users/users-script.ts';
import { quoteIdentifier } from '../server/quote.ts';

/** What a person types to bring a database back; the password comes from ~/.my.cnf. */
export function nativeRestore(
  { host = 'localhost', port = 3306, socket, user = 'root', database }: MysqlConfig,
  { name, format, decode }: { readonly name: string; readonly format: string; readonly decode: string },
): string {
  const place = socket === undefined ? `-h ${shellQuote(host)} -P ${port}` : `-S ${shellQuote(socket)}`;
  const to = `mysql ${place} -u ${shellQuote(user)}`;
  // What is there already is an error that may be passed over.
  if (format === USERS_FORMAT) return `${decode} | ${to} --force`;
  const into = name === '' ? (database ?? 'restored') : name;
  // The files of a tar are one script, in their order.
  const script = format === FOLDER_FORMAT ? `${decode} | tar -xOf -` : decode;
  const create = `${to} -e ${shellQuote(`CREATE DATABASE ${quoteIdentifier(into)}`)}`;
  return `${create} && ${script} | ${to} --binary-mode --comments --default-character-set=utf8mb4 ${shellQuote(`--database=${into}`)}`;
}
