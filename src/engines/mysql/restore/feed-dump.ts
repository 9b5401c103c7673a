import type { Readable } from 'node:stream';
import type { Context, ProcessEnd } from '../../../context.ts';
import { targetError, throwIfAborted, toolError } from '../../../errors.ts';
import type { Facts, IncomingArtifact } from '../../engine.ts';
import { feedProgram } from '../../feed-program.ts';
import { collectDefinitions, type ScriptStatement } from '../dump/definitions.ts';
import { openDumpNotes } from '../dump/inspector.ts';
import { createDumpLexer } from '../dump/lexer.ts';
import { describeStatement, type Statement } from '../dump/statement.ts';
import { transformStatement } from '../dump/transform.ts';
import { withoutValues } from '../server/explain-error.ts';
import { openOptionsFile } from '../server/options-file.ts';
import type { MysqlTarget } from '../server/connection.ts';
import { isOlder } from '../server/server.ts';
import type { FoundTool } from '../server/tools.ts';

/** A dump and the database that it goes into. */
export interface Feed {
  readonly artifact: IncomingArtifact;
  readonly target: MysqlTarget;
  /** Its name on the server. */
  readonly database: string;
  readonly client: FoundTool;
  readonly isEncrypted: boolean;
  readonly noOwner: boolean;
  /** Tables and rows only; else everything but events, which would run at once. */
  readonly tablesOnly: boolean;
}

/** What a dump held. */
export interface FedDump {
  readonly facts: Facts;
  /** What makes its views, triggers, routines and events. */
  readonly definitions: readonly ScriptStatement[];
}

/**
 * Lets the client of the server run a dump. It passes through here on its way: the client takes the end of what it reads
 * for the end of the script, and so must not see one before the dump was found to be whole.
 */
export async function feedDump(feed: Feed, context: Context): Promise<FedDump> {
  const options = await openOptionsFile(feed.target, feed.client.family, feed.isEncrypted, context);
  try {
    const argv = [feed.client.program, options.argument, ...CLIENT, `--database=${feed.database}`] as const;
    let fed: FedDump | undefined;
    await feed.artifact.into({
      kind: 'reader',
      read: async (raw) => {
        let ended: ProcessEnd;
        const running = context.start({ argv }, { stdin: 'pipe', stdout: 'ignore' });
        const filter = openFilter(feed);
        try {
          await feedProgram(running, filter.pieces(raw));
        } finally {
          ended = await running.closed;
        }
        throwIfAborted(context.signal);
        assertRan(ended);
        fed = filter.outcome();
      },
    });
    if (fed === undefined) throw new Error('a dump that nobody read');
    return fed;
  } finally {
    await options.close();
  }
}

/** In binary mode the client runs SQL and nothing else: no program, no file of this machine. */
const CLIENT = [
  '--binary-mode',
  '--default-character-set=utf8mb4',
  '--max-allowed-packet=1G',
  '--comments',
  '--quick',
  '--local-infile=0',
  '--init-command=SET SESSION wait_timeout = 604800, net_read_timeout = 3600, net_write_timeout = 3600',
] as const;

function openFilter(feed: Feed): { pieces(raw: Readable): AsyncGenerator<Buffer, void, void>; outcome(): FedDump } {
  const notes = openDumpNotes();
  const definitions = collectDefinitions();
  const transform = { noOwner: feed.noOwner, keepsSandbox: knowsSandbox(feed.client) };
  let ready: Buffer[] = [];
  let table = '';
  let facts: Facts = {};
  const take = (text: Buffer): void => {
    const statement = describeStatement(text);
    notes.take(statement, text);
    const changed = transformStatement(statement, text, transform);
    if (changed === null) return;
    definitions.take(statement, changed);
    if (isRun(statement, feed.tablesOnly)) ready.push(changed);
  };
  const lexer = createDumpLexer({
    statement: take,
    rowsBegin(head) {
      const statement = describeStatement(head);
      notes.take(statement, head);
      table = statement.name;
      ready.push(head);
    },
    rowsPiece: (piece) => void ready.push(piece),
    rowsEnd: (rows) => notes.rows(table, rows),
  });
  return {
    async *pieces(raw) {
      for await (const chunk of raw) {
        lexer.push(chunk as Buffer);
        if (ready.length === 0) continue;
        const [first] = ready;
        yield ready.length === 1 && first !== undefined ? first : Buffer.concat(ready);
        ready = [];
      }
      facts = notes.end(lexer.end());
      if (ready.length > 0) yield Buffer.concat(ready);
    },
    outcome: () => ({ facts, definitions: definitions.script }),
  };
}

function isRun({ kind, of }: Statement, tablesOnly: boolean): boolean {
  if (kind === 'event' || (kind === 'drop' && of === 'event')) return false;
  if (!tablesOnly) return true;
  return !['view', 'view-stand-in', 'trigger', 'routine', 'drop', 'alter-database'].includes(kind);
}

/** From these versions on, MariaDB's client takes the line that forbids it to start programs; others end there. */
function knowsSandbox({ family, version }: FoundTool): boolean {
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
function assertRan({ exitCode, signal, stderr }: ProcessEnd): void {
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
