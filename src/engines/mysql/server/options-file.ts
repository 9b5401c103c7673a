import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../../../context.ts';
import { targetError } from '../../../errors.ts';
import type { MysqlTarget } from './connection.ts';
import { type OptionsReader, toolTls } from './tls.ts';

/** How the server's own programs reach it: their first argument, and the file behind it. */
export interface OptionsFile {
  readonly argument: string;
  close(): Promise<void>;
}

/** Everything that names a server or a secret stands in a file that only we can read; the programs read no other. `settings` hold in their sessions. */
export async function openOptionsFile(
  target: MysqlTarget,
  family: OptionsReader,
  isEncrypted: boolean,
  context: Context,
  settings: readonly string[] = [],
): Promise<OptionsFile> {
  const { host = 'localhost', port = 3306, socket, user = 'root', password } = target;
  const place =
    socket === undefined
      ? ([
          ['host', host],
          ['port', String(port)],
          ['protocol', PROTOCOLS[family].tcp],
        ] as const)
      : ([
          ['socket', socket],
          ['protocol', PROTOCOLS[family].socket],
        ] as const);
  const lines = [
    ...place,
    ['user', user],
    ['password', password ?? ''],
    ...toolTls(target, family, isEncrypted),
    // Without TLS the newer way to check a password needs the key of the server.
    ...(family === 'mysql' && !isEncrypted ? ([['get-server-public-key', null]] as const) : []),
    ...(settings.length === 0 ? [] : [['init-command', `SET SESSION ${settings.join(', ')}`] as const]),
  ] as const;
  const path = join(context.workDir, `mysql-${randomUUID()}.cnf`);
  const text = lines.map(([key, value]) => (value === null ? key : `${key}=${quoteValue(key, value)}`)).join('\n');
  await writeFile(path, `[client]\n${text}\n`, { mode: 0o600, flag: 'wx' });
  return { argument: `--defaults-file=${path}`, close: () => rm(path, { force: true }) };
}

/** Without it `localhost` is a socket. The library passes over words here. */
const NAMED = { tcp: 'tcp', socket: 'socket' } as const;
const PROTOCOLS = { mysql: NAMED, mariadb: NAMED, libmariadb: { tcp: '1', socket: '2' } } as const;

/** As the programs read it: in double quotes, with a backslash before what would end or change it. */
function quoteValue(key: string, value: string): string {
  if (/[\r\n\0]/.test(value))
    throw targetError(`cannot connect: \`${key}\` has a line end, which the programs do not take`);
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', String.raw`\"`)}"`;
}
