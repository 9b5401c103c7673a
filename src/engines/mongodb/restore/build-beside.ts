import type { Context } from '../../../context.ts';
import { reasonOf, throwIfAborted } from '../../../errors.ts';
import type { Facts, RestoreOutcome } from '../../engine.ts';
import type { LiveCollection } from '../server/collections.ts';
import type { Session } from '../server/connection.ts';
import { asideReference } from '../server/names.ts';
import { compareWhole, restoredDocuments } from './compare.ts';
import { asMoved, exchangeCollections, writtenMeanwhile } from './exchange.ts';
import { fillPlaces } from './fill.ts';
import { readJournal } from './journal.ts';
import { mergeCollections } from './merge.ts';
import type { Place } from './places.ts';
import type { Prepared } from './restore.ts';
import { dropUnfinished } from './side.ts';

type Settled = Omit<RestoreOutcome, 'facts' | 'restored'> & Pick<Partial<RestoreOutcome>, 'restored'>;

/**
 * Builds the captured collections under other names in their database itself, since no server renames into another one,
 * counts and compares them, and lets them take their place. Nothing is touched before the last step. Where one of several
 * databases cannot be changed then, it is a conflict, and the others are.
 */
export async function buildBeside(prepared: Prepared, session: Session, context: Context): Promise<RestoreOutcome> {
  const { request, places } = prepared;
  try {
    await fillPlaces(prepared, context);
    const { built, facts } = await compareWhole(prepared, session);
    throwIfAborted(context.signal);
    const settled: Settled[] = [];
    const failures: { readonly place: Place; readonly error: unknown }[] = [];
    for (const [place, collections] of built) {
      try {
        settled.push(await settle(prepared, place, collections, session));
      } catch (error) {
        failures.push({ place, error });
      }
    }
    const [first] = failures;
    if (first !== undefined && settled.length === 0) throw first.error;
    const isMerge = request.mode === 'merge' && places.some(({ live }) => live.length > 0);
    const conflicts = failures.map(({ place, error }) => `database ${place.database} is as it was: ${reasonOf(error)}`);
    for (const { place } of failures) await dropBuilt(session, place.database, place.prefix);
    return {
      facts: isMerge || failures.length > 0 ? null : { ...facts },
      keptOld: settled.flatMap(({ keptOld }) => keptOld),
      restored: isMerge ? united(settled) : restoredDocuments(facts),
      conflicts: [...conflicts, ...settled.flatMap((one) => one.conflicts)],
      warnings: settled.flatMap(({ warnings }) => warnings),
    };
  } catch (error) {
    for (const { database, prefix } of places)
      await dropBuilt(session, database, prefix).catch(() =>
        context.emit({
          type: 'warning',
          message: `${prefix}* in ${database} could not be dropped; the next restore drops it`,
        }),
      );
    throw error;
  }
}

const united = (settled: readonly Settled[]): Facts =>
  Object.fromEntries(settled.flatMap(({ restored = {} }) => Object.entries(restored)));

/** What a half exchange waits for stays. */
async function dropBuilt(session: Session, database: string, prefix: string): Promise<void> {
  if ((await readJournal(session, database)) === null) await dropUnfinished(session, database, prefix);
}

/** Lets what was built for one database take its place, or adds what is missing of it. */
async function settle(
  { request }: Prepared,
  place: Place,
  built: readonly LiveCollection[],
  session: Session,
): Promise<Settled> {
  const { database, live, old, prefix } = place;
  if (request.mode === 'merge' && live.length > 0)
    return mergeCollections(place, built, session, request.skipConflicts);
  const exchange = { side: prefix, old, away: live.map(asMoved), bring: built.map(asMoved) };
  const late = await exchangeCollections(session, database, exchange);
  const lacking = live.filter(({ name }) => !built.some((one) => one.name === name)).map(({ name }) => name);
  return {
    keptOld: live.length + late.length === 0 ? [] : [{ type: 'mongodb', reference: asideReference(database, old) }],
    conflicts: [],
    warnings: [
      ...(lacking.length === 0 ? [] : [`${database}: not in the snapshot, and set aside: ${lacking.join(', ')}`]),
      ...late.map((name) => writtenMeanwhile(database, name)),
    ],
  };
}
