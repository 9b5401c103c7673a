import type { Context } from '../../../context.ts';
import { targetError } from '../../../errors.ts';
import type { RestoreOutcome } from '../../engine.ts';
import { analyzeAfterwards } from './analyze-afterwards.ts';
import { type Beside, buildBeside } from './build-beside.ts';
import { connectPatiently } from '../server/admin-session.ts';
import { choosePaths, type ChosenPaths } from '../script/chosen-paths.ts';
import type { Session } from '../server/connection.ts';
import { readOutlines } from '../script/definitions.ts';
import { assertExchangeable, exchangeChosen } from './exchange-chosen.ts';
import { inTransaction } from '../server/in-transaction.ts';
import { mayNotCreate } from './inspect-destination.ts';
import { mergePostgres } from '../merge/merge.ts';
import { qualified } from '../merge/table.ts';
import { onlyArchive } from '../archive/only-archive.ts';
import { readRights } from '../server/rights.ts';

/** Brings single schemas and tables back, into a database of their own or among what is there. */
export async function restoreChosen(beside: Beside, admin: Session, context: Context): Promise<RestoreOutcome> {
  const { request, program, live } = beside;
  const { destination, mode } = request;
  const chosen = await choose(request, program, context);
  if (live === 'absent') return restoreIntoNew(beside, chosen, admin, context);
  if (live === 'occupied' && mode === 'merge') return mergePostgres(beside, chosen, admin, context);
  const outcome = await inTransaction(destination, admin, context, (session) =>
    exchangeChosen(beside, chosen, session, context),
  );
  const statistics = await analyzeAfterwards(destination, tablesOf(chosen), context);
  return { ...outcome, warnings: [...outcome.warnings, ...statistics] };
}

/** Throws what `restoreChosen` would throw before it reads rows, among what is there. Changes nothing. */
export async function assertChosenRestorable(
  { request, program, live }: Pick<Beside, 'request' | 'program' | 'live'>,
  context: Context,
): Promise<void> {
  const { destination, mode } = request;
  const chosen = await choose(request, program, context);
  if (live === 'absent' || mode === 'merge') return;
  const session = await connectPatiently(destination, context, destination.database);
  try {
    await session.query(`SELECT pg_catalog.set_config('search_path', '', false)`);
    await assertExchangeable({ request, program, unowned: null }, chosen, session, context);
  } finally {
    await session.close();
  }
}

async function choose(
  { artifacts, paths }: Beside['request'],
  program: string,
  context: Context,
): Promise<ChosenPaths> {
  const all = await readOutlines(onlyArchive(artifacts), program, context);
  return { all, choice: choosePaths(all, paths) };
}

async function restoreIntoNew(
  beside: Beside,
  chosen: ChosenPaths,
  admin: Session,
  context: Context,
): Promise<RestoreOutcome> {
  const { destination } = beside.request;
  const { mayCreate, user } = await readRights(admin, destination.database);
  if (!mayCreate) {
    const { message, hint } = mayNotCreate(user);
    throw targetError(`cannot restore database ${destination.database}: ${message}`, { hint });
  }
  return buildBeside(beside, admin, context, (database) => {
    const place = { ...destination, database };
    return inTransaction(place, admin, context, (session) => exchangeChosen(beside, chosen, session, context));
  });
}

const tablesOf = ({ all, choice }: ChosenPaths): readonly string[] =>
  all.flatMap((one) => (one.type === 'TABLE' && choice.relations.has(one.id) ? [qualified(one)] : []));
