import type { Context } from '../../../context.ts';
import { reasonOf, throwIfAborted } from '../../../errors.ts';
import type { Facts, RestoreOutcome, RestoreRequest } from '../../engine.ts';
import { connectPatiently } from '../server/admin-session.ts';
import type { ArchiveOutline } from '../script/outline.ts';
import type { PostgresTarget, Session } from '../server/connection.ts';
import { freeName, newSuffix, oldSuffix } from '../server/database-names.ts';
import { readProperties } from '../server/database-properties.ts';
import { fillDatabase, restoredRows } from './fill.ts';
import { settleDatabase } from './settle.ts';
import { grantRest } from './grant-rest.ts';
import { onlyArchive } from '../archive/only-archive.ts';
import { pauseSubscriptions, readEnabledSubscriptions } from './pause-subscriptions.ts';
import { queryValue } from '../server/query-value.ts';
import { quoteIdentifier } from '../server/quote.ts';
import { createSideDatabase, dropSideDatabase } from './side-database.ts';
import { swapDatabases } from './swap.ts';
import { leftOutWarnings, type Unowned, withoutRoles } from '../script/unowned.ts';
import { listWithout } from '../script/use-list.ts';

type Request = RestoreRequest<PostgresTarget>;

export interface Beside {
  readonly request: Request;
  readonly outline: ArchiveOutline;
  /** Path of pg_restore. */
  readonly program: string;
  /** What stands there now. */
  readonly live: 'absent' | 'empty' | 'occupied';
  /** Null where owners come back too. */
  readonly unowned: Unowned | null;
}

/**
 * Builds the captured database under another name, counts and checks it, and lets it take its place. What stood there keeps
 * its data under a new name, and hands on its owner, rights, settings and comment. Nothing is touched before the last step.
 * `fillChosen` fills it with a part of the archive.
 */
export async function buildBeside(
  { request, outline, program, live, unowned }: Beside,
  admin: Session,
  context: Context,
  fillChosen?: (database: string) => Promise<RestoreOutcome>,
): Promise<RestoreOutcome> {
  const { destination, snapshot } = request;
  const { database } = destination;
  const before = live === 'absent' ? null : await readProperties(admin, database);
  const createOnly = (name: string): readonly string[] => outline.create(name).slice(0, 1);
  const create = before === null && unowned === null ? outline.create : createOnly;
  const side = await freeName(admin, database, newSuffix(snapshot));
  throwIfAborted(context.signal);
  try {
    await createSideDatabase(admin, destination, side, create);
    if (before !== null) {
      await admin.query(`ALTER DATABASE ${quoteIdentifier(side)} OWNER TO ${quoteIdentifier(before.owner)}`);
    }
    const chosen = await fillChosen?.(side);
    const lost = chosen === undefined ? await fillKeeping(unowned, request, side, program, context) : [];
    const facts = await settleDatabase(request, side, context);
    const captured = (name: string): readonly string[] =>
      unowned === null ? outline.properties(name) : withoutRoles(outline.properties(name), unowned);
    const properties = before?.statements ?? captured;
    const [comments, others] = partition(properties(quoteIdentifier(side)), isComment);
    for (const statement of others) await admin.query(statement);
    await acceptDatabase(request, side, context);
    const old = before === null ? null : await freeName(admin, database, oldSuffix(snapshot));
    const finish = comments.length === 0 ? [] : properties(quoteIdentifier(database)).filter(isComment);
    const subscriptions = old === null ? [] : await readEnabledSubscriptions(admin, database);
    throwIfAborted(context.signal);
    await swapDatabases({ side, database, old, finish }, destination, context);
    const paused = old === null ? [] : await pauseSubscriptions(subscriptions, destination, old, context);
    const warnings = [...leftOutWarnings(unowned), ...lost, ...paused];
    return { ...(await outcomeOf(facts, old, live, warnings, admin)), ...chosen };
  } catch (error) {
    await dropSideDatabase(destination, side, context);
    throw error;
  }
}

/** Fills a database with all of an archive that comes back. Tells what did not, beside what is left out. */
export async function fillKeeping(
  unowned: Unowned | null,
  request: Request,
  database: string,
  program: string,
  context: Context,
): Promise<readonly string[]> {
  if (unowned === null || unowned.leftOut.size === 0) {
    await fillDatabase(request, database, program, context, unowned === null ? [] : ['--no-owner']);
    return [];
  }
  const list = await listWithout(unowned.leftOut, onlyArchive(request.artifacts), program, context);
  try {
    await fillDatabase(request, database, program, context, ['--no-owner', `--use-list=${list.path}`]);
  } finally {
    await list.remove();
  }
  return grantRest(unowned, request.destination, database, context);
}

const isComment = (statement: string): boolean => /^\s*COMMENT ON/.test(statement);

const partition = <T>(items: readonly T[], test: (item: T) => boolean): readonly [readonly T[], readonly T[]] => [
  items.filter(test),
  items.filter((item) => !test(item)),
];

/** An empty database that gave way is no state to keep. */
async function outcomeOf(
  facts: Facts,
  old: string | null,
  live: Beside['live'],
  warnings: readonly string[],
  admin: Session,
): Promise<RestoreOutcome> {
  const outcome = { facts, restored: restoredRows(facts), conflicts: [], warnings };
  if (old === null) return { ...outcome, keptOld: [] };
  const kept = { ...outcome, keptOld: [{ type: 'postgres', reference: old }] };
  if (live === 'occupied') return kept;
  try {
    await admin.query(`DROP DATABASE ${quoteIdentifier(old)}`);
    return { ...outcome, keptOld: [] };
  } catch (error) {
    return { ...kept, warnings: [...warnings, `the empty database ${old} could not be dropped: ${reasonOf(error)}`] };
  }
}

/** Asks the policy's checks in a session of its own, with the settings of the database. */
export async function acceptDatabase(
  { accept, destination }: Request,
  database: string,
  context: Context,
): Promise<void> {
  if (accept === undefined) return;
  const session = await connectPatiently(destination, context, database);
  try {
    await session.query('BEGIN READ ONLY');
    await accept((sql) => queryValue(session, sql));
  } finally {
    await session.close();
  }
}
