import { join } from 'node:path';
import { shellQuote } from '../../shell-quote.ts';
import { USERS_FORMAT } from '../capture/users.ts';
import { DUMP } from '../file/data-folder.ts';
import { DUMP_FORMAT } from '../rdb/dump-format.ts';
import type { RedisTarget } from '../server/connection.ts';

/** Any port that is free there does. */
const PORT = 16379;

/**
 * What a person types: a server of one's own with the dump, which the destination follows until it has everything. The
 * password goes into REDISCLI_AUTH.
 */
export function nativeRestore(
  { host = 'localhost', port = 6379, socket, user, method, directory }: RedisTarget,
  { decode, format }: { readonly decode: string; readonly format: string },
): string {
  if (method === 'file' && directory !== undefined && format === DUMP_FORMAT)
    return `${decode} > ${shellQuote(join(directory, DUMP))}`;
  const place = socket === undefined ? `-h ${shellQuote(host)} -p ${port}` : `-s ${shellQuote(socket)}`;
  const cli = `redis-cli ${place}${user === undefined ? '' : ` --user ${shellQuote(user)}`}`;
  if (format === USERS_FORMAT) return `${decode} | sed -n 's/^user /ACL SETUSER /p' | ${cli}`;
  const isHere = socket !== undefined || ['localhost', '127.0.0.1', '::1'].includes(host);
  const own = `env -u REDISCLI_AUTH redis-cli -p ${PORT}`;
  return [
    'd=$(mktemp -d)',
    `${decode} > "$d/dump.rdb"`,
    `redis-server --port ${PORT} --dir "$d" --save '' --daemonize yes${isHere ? '' : ' --protected-mode no'}`,
    `until ${own} PING | grep -q PONG; do sleep 1; done`,
    `${cli} REPLICAOF ${isHere ? '127.0.0.1' : '"$(hostname -f)"'} ${PORT}`,
    `until ${cli} INFO replication | grep -q master_link_status:up; do sleep 1; done`,
    `${cli} REPLICAOF NO ONE`,
    `${own} SHUTDOWN NOSAVE`,
    'rm -r "$d"',
  ].join(' && ');
}
