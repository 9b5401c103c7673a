import type { Context, ProcessEnd, ProcessSpec } from '../../../context.ts';
import { targetError, toolError } from '../../../errors.ts';
import type { MysqlTarget } from '../server/connection.ts';
import { withoutValues } from '../server/explain-error.ts';
import { openOptionsFile } from '../server/options-file.ts';
import { isOlder } from '../server/server.ts';
import type { FoundTool } from '../server/tools.ts';

/** Which client, and where it writes. */
export interface ClientOrder {
  readonly target: MysqlTarget;
  /** Its name on the server. */
  readonly database: string;
  readonly client: FoundTool;
  readonly isEncrypted: boolean;
}

/** A client that runs a script from its standard input; each start of it is a session of its own. */
export interface Client {
  readonly argv: ProcessSpec['argv'];
  close(): Promise<void>;
}

/** In binary mode the client runs SQL and nothing else: no program, no file of this machine. */
const OPTIONS = [
  '--binary-mode',
  '--default-character-set=utf8mb4',
  '--max-allowed-packet=1G',
  '--comments',
  '--quick',
  '--local-infile=0',
] as const;
const PATIENCE = 'wait_timeout = 604800, net_read_timeout = 3600, net_write_timeout = 3600';

/** `settings` hold in its sessions beside those that keep them alive. */
export async function openClient(
  { target, database, client, isEncrypted }: ClientOrder,
  context: Context,
  settings: readonly string[] = [],
): Promise<Client> {
  const options = await openOptionsFile(target, client.family, isEncrypted, context);
  const session = `--init-command=SET SESSION ${[PATIENCE, ...settings].join(', ')}`;
  return {
    argv: [client.program, options.argument, ...OPTIONS, session, `--database=${database}`],
    close: () => options.close(),
  };
}

/** From these versions on, MariaDB's client takes the line that forbids it to start programs; others end there. */
export function knowsSandbox({ family, version }: FoundTool): boolean {
  if (family !== 'mariadb') return false;
  const since = {
    '10.5': '10.5.25',
    '10.6': '10.6.18',
    '10.11': '10.11.8',
    '11.0': '11.0.6',
    '11.1': '11.1.5',
    '11.2': '11.2.4',
  };
  const known = Object.entries(since).find(([line]) => version.startsWith(`${line}.`))?.[1] ?? '11.4.2';
  return !isOlder(version, known);
}

/** The client repeats the statement that failed, rows and all: only its own sentence is told. */
export function assertRan({ exitCode, signal, stderr }: ProcessEnd): void {
  if (signal !== null) throw toolError(`cannot restore with the client: it was ended by ${signal}`);
  if (exitCode === 0) return;
  const said = /^ERROR (\d+) \(\w+\)(?: at line \d+)?: (.*)$/m.exec(stderr);
  const reason = said?.[2] === undefined ? `exit code ${exitCode}` : withoutValues(said[2]);
  throw targetError(`cannot restore with the client: ${reason}`, { hint: HINTS[said?.[1] ?? ''] });
}

const HINTS: Readonly<Record<string, string>> = {
  '1227': '`--no-owner` lets whoever restores own views, triggers, routines and events',
  '1419': 'set log_bin_trust_function_creators = 1 on the server, or restore as a user with SUPER',
  '1273': 'restore into a server that knows the collation',
  '1153': 'raise max_allowed_packet of the server',
};
