import type { Readable } from 'node:stream';
import type { Context, ProcessEnd } from '../../../context.ts';
import { throwIfAborted } from '../../../errors.ts';
import type { Facts } from '../../engine.ts';
import { feedProgram } from '../../feed-program.ts';
import { collectDefinitions } from '../dump/definitions.ts';
import { openDumpNotes } from '../dump/inspector.ts';
import { FOLDER_FORMAT } from '../dump/format.ts';
import { createDumpLexer } from '../dump/lexer.ts';
import { describeStatement } from '../dump/statement.ts';
import { transformStatement } from '../dump/transform.ts';
import { assertRan, knowsSandbox, openClient } from './client.ts';
import { type FedDump, type Feed, isRun } from './feed.ts';
import { feedFolder } from './feed-folder.ts';

/** Lets the client of the server run a dump, several where its files are many. */
export const feedDump = (feed: Feed, context: Context): Promise<FedDump> =>
  feed.artifact.format === FOLDER_FORMAT ? feedFolder(feed, context) : feedStream(feed, context);

/**
 * One client for all of it. The dump passes through here on its way: the client takes the end of what it reads
 * for the end of the script, and so must not see one before the dump was found to be whole.
 */
async function feedStream(feed: Feed, context: Context): Promise<FedDump> {
  const client = await openClient(feed, context);
  try {
    let fed: FedDump | undefined;
    await feed.artifact.into({
      kind: 'reader',
      read: async (raw) => {
        let ended: ProcessEnd;
        const running = context.start({ argv: client.argv }, { stdin: 'pipe', stdout: 'ignore' });
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
    await client.close();
  }
}

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
