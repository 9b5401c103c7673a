import type { Context } from '../../../context.ts';
import { throwIfAborted } from '../../../errors.ts';
import type { Facts, RestoreRequest } from '../../engine.ts';
import type { ScriptStatement } from '../dump/definitions.ts';
import type { MysqlTarget, Session } from '../server/connection.ts';
import { connectPatiently } from '../server/patient-session.ts';
import { queryValue } from '../server/query-value.ts';
import { quoteIdentifier } from '../server/quote.ts';
import type { Server } from '../server/server.ts';
import type { FoundTool } from '../server/tools.ts';
import { compareFacts, countAndCompare } from './compare-facts.ts';
import { feedDump } from './feed-dump.ts';
import { onlyDump } from './only-dump.ts';

/** A restore that may begin: what it knows of the server and the dump. */
export interface ReadyRestore {
  readonly request: RestoreRequest<MysqlTarget>;
  readonly server: Server;
  readonly client: FoundTool;
  /** Of the dump: from the manifest where it tells them, else read from it. */
  readonly facts: Facts;
  /** Lives through an abort, so that what was begun is cleared away. */
  readonly admin: Session;
}

/** What a filled database holds, and what makes its definitions. */
export interface Filled {
  readonly facts: Facts;
  readonly definitions: readonly ScriptStatement[];
}

/** Fills an empty database with everything but events, counts it, and asks the checks of the policy. */
export async function fillAndCount(ready: ReadyRestore, database: string, context: Context): Promise<Filled> {
  const { request, server, client, admin } = ready;
  const { destination, expectedFacts, noOwner } = request;
  const artifact = onlyDump(request.artifacts);
  const isEncrypted = admin.isEncrypted;
  const feed = { artifact, target: destination, database, client, isEncrypted, noOwner, tablesOnly: false };
  const { facts, definitions } = await feedDump(feed, context);
  const place = { built: database, destination: destination.database, foldsNames: server.foldsNames };
  if (expectedFacts !== null) compareFacts({ ...place, foldsNames: false }, expectedFacts, facts);
  const session = await connectPatiently(destination, context, database);
  try {
    const counted = await countAndCompare(session, place, expectedFacts ?? facts);
    if (request.accept !== undefined) {
      await session.query('START TRANSACTION READ ONLY');
      await request.accept((sql) => queryValue(session, sql));
    }
    throwIfAborted(context.signal);
    // What nobody can count there is told by the dump that went in.
    return { facts: { ...facts, ...counted }, definitions };
  } finally {
    await session.close();
  }
}

/** `CREATE DATABASE` with the character set of the captured one, where that is known. */
export function createStatement(name: string, facts: Facts): string {
  return `CREATE DATABASE ${quoteIdentifier(name)}${characterSetClause(facts)}`;
}

/** ` CHARACTER SET … COLLATE …` of the captured database; empty where nobody knows. */
export function characterSetClause({ database }: Facts): string {
  const known = (database ?? null) as { readonly characterSet?: unknown; readonly collation?: unknown } | null;
  const { characterSet, collation } = known ?? {};
  const isWord = (text: unknown): text is string => typeof text === 'string' && /^\w+$/.test(text);
  return isWord(characterSet) && isWord(collation) ? ` CHARACTER SET ${characterSet} COLLATE ${collation}` : '';
}

/** `{ "table events": 12 }`. */
export function restoredRows({ tables }: Facts): Facts {
  if (typeof tables !== 'object' || tables === null) return {};
  return Object.fromEntries(Object.entries(tables).map(([name, rows]) => [`table ${name}`, rows]));
}
