import { open, rm, stat } from 'node:fs/promises';
import type { Context } from '../../../context.ts';
import { eachLimited } from '../../../each-limited.ts';
import { throwIfAborted } from '../../../errors.ts';
import { collectDefinitions } from '../dump/definitions.ts';
import { transformStatement } from '../dump/transform.ts';
import { assertRan, type Client, openClient } from './client.ts';
import { type FedDump, type Feed, isRun } from './feed.ts';
import { unpackFolder } from './unpack-folder.ts';

const DEFAULT_JOBS = 4;
/** What the script of the tables sets for itself holds for sessions that run rows alone. */
const SETTINGS = ["sql_mode = 'NO_AUTO_VALUE_ON_ZERO'", 'unique_checks = 0', 'foreign_key_checks = 0'] as const;

/**
 * Runs the files of a dump that was found whole before: its tables, then rows by several clients at once, then views,
 * triggers and routines. Bytes of rows go from the disk into the client, past this process.
 */
export async function feedFolder(feed: Feed, context: Context): Promise<FedDump> {
  const definitions = collectDefinitions();
  const run: Buffer[] = [];
  const dump = await unpackFolder(
    feed.artifact,
    (statement, text) => {
      const own = transformStatement(statement, text, { noOwner: feed.noOwner, keepsSandbox: false });
      if (own === null) return;
      definitions.take(statement, own);
      if (!feed.tablesOnly && isRun(statement, false)) run.push(Buffer.from(own));
    },
    context,
  );
  const client = await openClient(feed, context, SETTINGS);
  try {
    await runFile(client, dump.tables, context);
    await runRows(client, dump.rows, feed, context);
    const script = Buffer.concat(run).toString('utf8');
    if (script !== '') assertRan(await context.run({ argv: client.argv }, { stdin: script }));
    return { facts: dump.facts, definitions: definitions.script };
  } finally {
    await client.close();
    await dump.remove();
  }
}

/** The first that fails stops the others; files are removed as they are done. */
async function runRows(
  client: Client,
  rows: readonly string[],
  { target, database }: Feed,
  context: Context,
): Promise<void> {
  const stop = new AbortController();
  const others = context.withSignal(AbortSignal.any([context.signal, stop.signal]));
  let bytes = 0;
  await eachLimited(rows, target.jobs ?? DEFAULT_JOBS, async (path) => {
    try {
      const { size } = await stat(path);
      await runFile(client, path, others);
      await rm(path);
      bytes += size;
      context.emit({ type: 'progress', subject: `restoring ${database}`, bytes, totalBytes: null });
    } catch (error) {
      stop.abort(error);
      throw error;
    }
  });
}

async function runFile({ argv }: Client, path: string, context: Context): Promise<void> {
  const file = await open(path);
  try {
    throwIfAborted(context.signal);
    const ended = await context.start({ argv }, { stdin: file.fd, stdout: 'ignore' }).closed;
    throwIfAborted(context.signal);
    assertRan(ended);
  } finally {
    await file.close();
  }
}
