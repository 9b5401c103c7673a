import type { Context } from '../../../context.ts';
import { targetError } from '../../../errors.ts';
import type { RestoreOutcome } from '../../engine.ts';
import { analyzeAfterwards } from './analyze-afterwards.ts';
import { type Beside, buildBeside } from './build-beside.ts';
import { choosePaths, type ChosenPaths } from '../script/chosen-paths.ts';
import type { Session } from '../server/connection.ts';
import { readOutlines } from '../script/definitions.ts';
import { exchangeChosen } from './exchange-chosen.ts';
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
  const all = await readOutlines(onlyArchive(request.artifacts), program, context);
  const chosen = { all, choice: choosePaths(all, request.paths) };
  if (live === 'absent') return restoreIntoNew(beside, chosen, admin, context);
  if (live === 'occupied' && mode === 'merge') return mergePostgres(beside, chosen, admin, context);
  const outcome = await inTransaction(destination, admin, context, (session) =>
    exchangeChosen(beside, chosen, session, context),
  );
  const statistics = await analyzeAfterwards(destination, tablesOf(chosen), context);
  return { ...outcome, warnings: [...outcome.warnings, ...statistics] };
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
