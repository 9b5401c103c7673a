import type { Context } from '../../../context.ts';
import { BkpError, guardError, integrityError, reasonOf, targetError, throwIfAborted } from '../../../errors.ts';
import type { Facts, RestoreOutcome } from '../../engine.ts';
import { collectNeeds, type Needs } from '../script/needs.ts';
import { type ChosenPaths, keyOf } from '../script/chosen-paths.ts';
import type { Session } from '../server/connection.ts';
import { parseCopy } from '../script/copy-script.ts';
import { createAll, createCompanions, createKeys, createLast } from '../merge/create-definitions.ts';
import { collectDefinitions, type Definitions, type Lacking } from '../script/definitions.ts';
import { codeOf } from '../server/explain-error.ts';
import type { MergeSource } from '../merge/merge.ts';
import { areHeard, quieten, silence } from '../merge/quiet.ts';
import { readData } from '../script/read-data.ts';
import { openStatements } from '../merge/statements.ts';
import { type MergeTable, qualified, readMergeTables } from '../merge/table.ts';
import { onlyArchive } from '../archive/only-archive.ts';
import { sequencesOf } from '../merge/owned-sequences.ts';
import { assertServerHas } from './preflight.ts';
import { brokenForeignKeys, lockReferenced } from './referential-check.ts';
import { assertFits, copyRows, deleteRows } from './replace-rows.ts';
import type { Section } from '../script/sections.ts';
import { tableKey } from '../server/table-key.ts';
import { readThere } from '../merge/there-relations.ts';
import { leftOutWarnings } from '../script/unowned.ts';
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
  const { request, program, unowned } = source;
  const artifact = onlyArchive(request.artifacts);
  const { database } = request.destination;
  const there = await readThere(session);
  const relations = chosen.all.filter(({ id }) => chosen.choice.relations.has(id));
  const present = relations.filter((relation) => there.has(keyOf(relation)));
  if (request.mode === 'new' && present.length > 0) throw presentError(database, present);
  const tables = await readTables(session, present);
  const missing = new Set(relations.filter((one) => !there.has(keyOf(one))).map(({ id }) => id));
  const definitions = await collectDefinitions(
    { artifact, program, unowned },
    chosen.all,
    { ...chosen.choice, relations: missing },
    (key) => there.has(key),
    context,
  );
  const [lacking] = definitions.lacking;
  if (lacking !== undefined) throw lackingError(lacking);

  await assertServerHas(session, { needs: needsOf(definitions) }, request.destination, {
    makesDatabase: false,
    noOwner: request.noOwner,
  });
  await lockReferenced(
    session,
    tables.map(({ oid }) => oid),
  );
  if (await areHeard(session, tables)) await silence(session, request.destination);
  const loud = await quieten(session, tables);
  const made = await createAll(session, definitions.before, definitions.needed);
  await createCompanions(session, definitions.companions, made);
  const filled = tables.length === 0 ? [] : await readFilledTables(session);
  await deleteRows(session, tables);

  const known = new Map(tables.map((table) => [qualified(table), table]));
  const wanted = new Set(relations.map(qualified));
  const counts = new Map<string, number>();
  const sequences = await sequencesOf(
    session,
    chosen,
    definitions.before.filter(({ id }) => made.has(id)),
    tables,
  );
  const statements = openStatements(session, { objects: null, sequences });
  await readData(artifact, program, context, async (part) => {
    if (part.kind === 'line') return statements.take(part.text);
    const { schema, name } = parseCopy(part.statement);
    if (!wanted.has(qualified({ schema, name }))) return;
    const table = known.get(qualified({ schema, name }));
    if (table !== undefined) assertFits(table, part.statement, database);
    const key = tableKey(schema, name);
    counts.set(key, (counts.get(key) ?? 0) + (await copyRows(session, part)));
  });
  const replaced = new Set(tables.map(keyOf));
  assertRowsBrought(
    filled.filter(({ key }) => replaced.has(key)),
    new Set(counts.keys()),
    request.destination,
  );
  assertCounts(request.artifactFacts, counts, database);

  const checks = await createKeys(session, definitions.keys, definitions.needed);
  const broken = await brokenForeignKeys(
    session,
    tables.map(({ oid }) => oid),
  );
  if (broken.length > 0) throw brokenError(database, broken.join('; '));
  await validate(session, checks, database);
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

const presentError = (database: string, present: readonly Section[]): Error =>
  guardError(
    `cannot restore ${present.map(keyOf).join(', ')}: database ${database} has ${present.length === 1 ? 'it' : 'them'}`,
    {
      hint: '`--mode replace` puts the captured rows in place, `--mode merge` adds what is missing',
    },
  );

const lackingError = ({ key, needs }: Lacking): Error =>
  targetError(`cannot restore ${key}: it needs ${needs}, which is not there`, {
    hint: `choose it too: --path ${needs}`,
  });

const brokenError = (database: string, reason: string): Error =>
  targetError(`cannot restore chosen paths of database ${database}: ${reason}`, {
    hint: 'nothing was changed; choose the other tables too, or add what is missing with `--mode merge`',
  });

/** Tables whose rows will be others. Throws `target` where something else has the name of one now. */
async function readTables(session: Session, present: readonly Section[]): Promise<readonly MergeTable[]> {
  const tables = await readMergeTables(
    session,
    present.filter(({ type }) => type === 'TABLE'),
  );
  const other = tables.find(({ kind }) => kind === 'other');
  if (other === undefined) return tables;
  throw targetError(`cannot restore table ${keyOf(other)}: something else has its name now`);
}

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
