import type { Context } from '../../../context.ts';
import { BkpError, integrityError, reasonOf, targetError, throwIfAborted } from '../../../errors.ts';
import type { Facts, RestoreOutcome } from '../../engine.ts';
import { onlyArchive } from '../archive/only-archive.ts';
import { createAll, createCompanions, createKeys, createLast } from '../merge/create-definitions.ts';
import type { MergeSource } from '../merge/merge.ts';
import { sequencesOf } from '../merge/owned-sequences.ts';
import { areHeard, quieten, silence } from '../merge/quiet.ts';
import { openStatements, type StatementTaker } from '../merge/statements.ts';
import { type MergeTable, qualified } from '../merge/table.ts';
import { type ChosenPaths, keyOf } from '../script/chosen-paths.ts';
import { parseCopy } from '../script/copy-script.ts';
import type { Definitions } from '../script/definitions.ts';
import { collectNeeds, type Needs } from '../script/needs.ts';
import { readData } from '../script/read-data.ts';
import type { Section } from '../script/sections.ts';
import { leftOutWarnings } from '../script/unowned.ts';
import type { PostgresTarget, Session } from '../server/connection.ts';
import { codeOf } from '../server/explain-error.ts';
import { tableKey } from '../server/table-key.ts';
import { type ChosenComparison, compareChosen } from './compare-chosen.ts';
import { assertServerHas } from './preflight.ts';
import { brokenForeignKeys, lockReferenced } from './referential-check.ts';
import { assertFits, copyRows, deleteRows } from './replace-rows.ts';
import { assertRowsBrought, readFilledTables } from './unsaved-rows.ts';

/**
 * Brings chosen relations back, within the session's transaction: tables that are there get exactly the captured rows,
 * those that are missing are made, with what they need and what belongs to them. Foreign keys hold at the end, or it throws.
 */
export async function exchangeChosen(
  source: MergeSource,
  chosen: ChosenPaths,
  session: Session,
  context: Context,
): Promise<RestoreOutcome> {
  const { request, unowned } = source;
  const found = await compareChosen(source, chosen, session, context);
  const { present, tables, definitions } = found;
  await assertNeeds(request, found, session);
  const loud = await openTables(tables, session, request.destination);
  const made = await createAll(session, definitions.before, definitions.needed);
  await createCompanions(session, definitions.companions, made);
  const fresh = definitions.before.filter(({ id }) => made.has(id));
  const sequences = await sequencesOf(session, chosen, fresh, tables);
  const statements = openStatements(session, { objects: null, sequences });
  const counts = await exchangeRows(source, found, statements, session, context);
  await holdForeignKeys(found, session, request.destination.database);
  const unpublished = await createLast(session, definitions.after);
  for (const statement of loud) await session.query(statement);
  await refresh(session, present);
  throwIfAborted(context.signal);
  await statements.setSequences();
  return {
    facts: null,
    keptOld: [],
    restored: Object.fromEntries([...counts].map(([key, rows]) => [`table ${key}`, rows])),
    conflicts: [],
    warnings: [
      ...leftOutWarnings(unowned, (id) => definitions.leftOut.has(id)),
      ...definitions.warnings,
      ...unpublished,
    ],
  };
}

/** Throws what `exchangeChosen` would throw before it reads rows. Changes nothing. */
export async function assertExchangeable(
  source: MergeSource,
  chosen: ChosenPaths,
  session: Session,
  context: Context,
): Promise<void> {
  const { request } = source;
  const found = await compareChosen(source, chosen, session, context);
  await assertNeeds(request, found, session);
  if (!(await areHeard(session, found.tables))) return;
  await session.query('BEGIN');
  await silence(session, request.destination);
  await session.query('ROLLBACK');
}

async function assertNeeds(
  { destination, noOwner }: MergeSource['request'],
  { definitions }: ChosenComparison,
  session: Session,
): Promise<void> {
  await assertServerHas(session, { needs: needsOf(definitions) }, destination, { makesDatabase: false, noOwner });
}

/** Keeps others away from tables and what they refer to, and triggers still; returns what makes those heard again. */
async function openTables(
  tables: readonly MergeTable[],
  session: Session,
  destination: PostgresTarget,
): Promise<readonly string[]> {
  await lockReferenced(
    session,
    tables.map(({ oid }) => oid),
  );
  if (await areHeard(session, tables)) await silence(session, destination);
  return quieten(session, tables);
}

/** Puts the captured rows into chosen tables, in the place of those that are there; returns how many by key. */
async function exchangeRows(
  { request, program }: MergeSource,
  { relations, tables }: ChosenComparison,
  statements: StatementTaker,
  session: Session,
  context: Context,
): Promise<ReadonlyMap<string, number>> {
  const { destination, artifactFacts } = request;
  const filled = tables.length === 0 ? [] : await readFilledTables(session);
  await deleteRows(session, tables);
  const known = new Map(tables.map((table) => [qualified(table), table]));
  const wanted = new Set(relations.map(qualified));
  const counts = new Map<string, number>();
  await readData(onlyArchive(request.artifacts), program, context, async (part) => {
    if (part.kind === 'line') return statements.take(part.text);
    const { schema, name } = parseCopy(part.statement);
    if (!wanted.has(qualified({ schema, name }))) return;
    const table = known.get(qualified({ schema, name }));
    if (table !== undefined) assertFits(table, part.statement, destination.database);
    const key = tableKey(schema, name);
    counts.set(key, (counts.get(key) ?? 0) + (await copyRows(session, part)));
  });
  const replaced = new Set(tables.map(keyOf));
  assertRowsBrought(
    filled.filter(({ key }) => replaced.has(key)),
    new Set(counts.keys()),
    destination,
  );
  assertCounts(artifactFacts, counts, destination.database);
  return counts;
}

/** Makes keys and looks at all rows; throws `target` where a foreign key does not hold. */
async function holdForeignKeys(
  { tables, definitions }: ChosenComparison,
  session: Session,
  database: string,
): Promise<void> {
  const checks = await createKeys(session, definitions.keys, definitions.needed);
  const broken = await brokenForeignKeys(
    session,
    tables.map(({ oid }) => oid),
  );
  if (broken.length > 0) throw brokenError(database, broken.join('; '));
  await validate(session, checks, database);
}

const brokenError = (database: string, reason: string): Error =>
  targetError(`cannot restore chosen paths of database ${database}: ${reason}`, {
    hint: 'nothing was changed; choose the other tables too, or add what is missing with `--mode merge`',
  });

function assertCounts(facts: Facts | undefined, counts: ReadonlyMap<string, number>, database: string): void {
  const captured = facts?.['tables'];
  if (typeof captured !== 'object' || captured === null) return;
  for (const [key, rows] of counts) {
    const expected = captured[key];
    if (typeof expected === 'number' && expected !== rows)
      throw integrityError(
        `cannot restore chosen paths of database ${database}: table ${key} has ${rows} rows in the archive, and had ${expected} when it was captured`,
      );
  }
}

async function validate(session: Session, checks: readonly string[], database: string): Promise<void> {
  try {
    for (const check of checks) await session.query(check);
  } catch (error) {
    if (error instanceof BkpError && codeOf(error.cause) === '23503')
      throw brokenError(database, reasonOf(error.cause));
    throw error;
  }
}

/** Materialized views that are there show what is there now; those that never showed anything stay that way. */
async function refresh(session: Session, present: readonly Section[]): Promise<void> {
  for (const view of present.filter(({ type }) => type === 'MATERIALIZED VIEW')) {
    const filled = 'SELECT FROM pg_catalog.pg_class WHERE oid = $1::pg_catalog.regclass AND relispopulated';
    if ((await session.query(filled, [qualified(view)])).length > 0)
      await session.query(`REFRESH MATERIALIZED VIEW ${qualified(view)}`);
  }
}

function needsOf({ before, keys, after, companions }: Definitions): Needs {
  const { add, needs } = collectNeeds();
  for (const section of [...before, ...keys, ...after, ...companions]) add(section);
  return needs([]);
}
