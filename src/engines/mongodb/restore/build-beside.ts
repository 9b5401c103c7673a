import type { Context } from '../../../context.ts';
import { throwIfAborted } from '../../../errors.ts';
import type { RestoreOutcome } from '../../engine.ts';
import { listAll } from '../server/collections.ts';
import type { Session } from '../server/connection.ts';
import { readLiveFacts } from '../server/live-facts.ts';
import { asideReference } from '../server/names.ts';
import { assertSame, restoredDocuments } from './compare.ts';
import { asMoved, exchangeCollections } from './exchange.ts';
import { fillCollections } from './fill.ts';
import { mergeCollections } from './merge.ts';
import type { Prepared } from './restore.ts';
import { assertNamesFit, dropUnfinished, freeOldPrefix, under, uniqueNewPrefix } from './side.ts';

/**
 * Builds the captured collections under other names in the database itself, since no server renames into another one,
 * counts and compares them, and lets them take their place. Nothing is touched before the last step.
 */
export async function buildBeside(prepared: Prepared, session: Session, context: Context): Promise<RestoreOutcome> {
  const { request, artifact, from, live, expected } = prepared;
  const { destination, snapshot, mode } = request;
  const { database } = destination;
  const prefix = uniqueNewPrefix(snapshot);
  const old = freeOldPrefix(snapshot, await listAll(session, database));
  assertNamesFit(database, live, old);
  try {
    await fillCollections({ artifact, from, destination, prefix }, context);
    const built = under(prefix, await listAll(session, database));
    const side = built.map((one) => ({ ...one, name: prefix + one.name }));
    const facts = await readLiveFacts(session, database, side, (name) => `${from}.${name.slice(prefix.length)}`);
    assertSame(database, expected, facts);
    throwIfAborted(context.signal);
    if (mode === 'merge' && live.length > 0) return await mergeCollections(prepared, prefix, built, session);
    const exchange = { side: prefix, old, away: live.map(asMoved), bring: built.map(asMoved) };
    const late = await exchangeCollections(session, database, exchange);
    const lacking = live.filter(({ name }) => !built.some((one) => one.name === name)).map(({ name }) => name);
    return {
      facts: { ...facts },
      keptOld: live.length === 0 ? [] : [{ type: 'mongodb', reference: asideReference(database, old) }],
      restored: restoredDocuments(facts),
      conflicts: [],
      warnings: [
        ...(lacking.length === 0 ? [] : [`not in the snapshot, and set aside: ${lacking.join(', ')}`]),
        ...late.map((name) => `${name} was written to while it was exchanged: that is set aside, too`),
      ],
    };
  } catch (error) {
    await dropUnfinished(session, database, prefix).catch(() =>
      context.emit({
        type: 'warning',
        message: `${prefix}* in ${database} could not be dropped; the next restore drops it`,
      }),
    );
    throw error;
  }
}
