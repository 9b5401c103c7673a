import { targetError } from '../../../errors.ts';
import type { PostgresTarget, Session } from '../server/connection.ts';
import { tableKey } from '../server/table-key.ts';
import { exactRelation, exactSchema, readPattern } from '../server/name-patterns.ts';

/** What the filters of a target leave of its database, asked of the database itself under the session's snapshot. */
export interface Selection {
  /** Arguments of pg_dump, every name written out: what the server matched is what is dumped. */
  readonly argv: readonly string[];
  /** Tables whose rows are dumped, by oid. */
  readonly tables: readonly number[];
  /** Tables whose definition is dumped without rows, as facts name them. */
  readonly withoutRows: readonly string[];
  /** Tables, views, sequences and the like that are not dumped at all, by oid. */
  readonly leftOut: readonly number[];
  /** Large objects belong to no schema: filters that name what to take leave them out. */
  readonly hasLargeObjects: boolean;
  /** What is not in the dump, for people. */
  readonly warnings: readonly string[];
}

interface Relation {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly kind: string;
  /** The tables that it is a partition of, directly or not; the table that a sequence belongs to. */
  readonly parents: readonly number[];
}

type Filters = Pick<PostgresTarget, 'schemas' | 'excludeSchemas' | 'tables' | 'excludeTables' | 'excludeRows'>;

const hasFilters = ({ schemas, excludeSchemas, tables, excludeTables, excludeRows }: Filters): boolean =>
  [schemas, excludeSchemas, tables, excludeTables, excludeRows].some((list) => list !== undefined);

const RELATIONS = `
  SELECT c.oid::int8 AS oid, n.nspname AS schema, c.relname AS name, c.relkind AS kind,
    ARRAY(SELECT p.relid::oid::int8 FROM pg_catalog.pg_partition_ancestors(c.oid) p WHERE p.relid <> c.oid)
    || ARRAY(SELECT d.refobjid::int8 FROM pg_catalog.pg_depend d WHERE c.relkind = 'S' AND d.objid = c.oid
      AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refclassid = d.classid AND d.deptype IN ('a', 'i')) AS parents
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND c.relpersistence <> 't' AND ${own('n.nspname')}
  ORDER BY 2, 3`;

/** Reads what the filters mean here; null without filters. Throws `target` for a pattern that matches nothing. */
export async function readSelection(session: Session, target: PostgresTarget): Promise<Selection | null> {
  if (!hasFilters(target)) return null;
  const { schemas, excludeSchemas, tables } = target;
  const relations = (await session.query<Relation>(RELATIONS)).map((found) => ({
    ...found,
    oid: Number(found.oid),
    parents: found.parents.map(Number),
  }));
  const inSchemas = await matchSchemas(session, target, 'schemas', schemas);
  const outSchemas = await matchSchemas(session, target, 'excludeSchemas', excludeSchemas);
  const match = (key: keyof Filters): Promise<ReadonlySet<number>> =>
    matchRelations(session, target, key, target[key], relations);
  const [inTables, outTables, withoutRows] = [
    await match('tables'),
    await match('excludeTables'),
    await match('excludeRows'),
  ];
  const isChosen = ({ oid, schema }: Relation): boolean =>
    (inSchemas === null || inSchemas.has(schema)) &&
    (tables === undefined || inTables.has(oid)) &&
    outSchemas?.has(schema) !== true &&
    !outTables.has(oid);
  const chosen = relations.filter(isChosen);
  const named = (oids: ReadonlySet<number>): readonly string[] =>
    relations.filter(({ oid }) => oids.has(oid)).map(({ schema, name }) => exactRelation(schema, name));
  return {
    argv: [
      ...(tables === undefined
        ? [
            ...[...(inSchemas ?? [])].map((schema) => `--schema=${exactSchema(schema)}`),
            ...[...(outSchemas ?? [])].map((schema) => `--exclude-schema=${exactSchema(schema)}`),
            ...named(outTables).map((name) => `--exclude-table=${name}`),
          ]
        : chosen.map(({ schema, name }) => `--table=${exactRelation(schema, name)}`)),
      ...named(withoutRows).map((name) => `--exclude-table-data=${name}`),
    ],
    tables: chosen.filter(({ kind, oid }) => kind === 'r' && !withoutRows.has(oid)).map(({ oid }) => oid),
    withoutRows: chosen
      .filter(({ kind, oid }) => kind === 'r' && withoutRows.has(oid))
      .map(({ schema, name }) => tableKey(schema, name)),
    leftOut: relations.filter((relation) => !isChosen(relation)).map(({ oid }) => oid),
    hasLargeObjects: tables === undefined && schemas === undefined,
    warnings: warningsOf(target),
  };
}

async function matchSchemas(
  session: Session,
  target: PostgresTarget,
  key: keyof Filters,
  patterns: readonly string[] | undefined,
): Promise<ReadonlySet<string> | null> {
  if (patterns === undefined) return null;
  const found = new Set<string>();
  for (const pattern of patterns) {
    const { schema, name } = readPattern(pattern);
    const rows =
      schema !== null
        ? []
        : await session.query<{ readonly name: string }>(
            `SELECT nspname::text AS name FROM pg_catalog.pg_namespace WHERE ${own('nspname')} AND nspname::text ~ $1`,
            [name],
          );
    if (rows.length === 0) throw matchesNothing(target, key, pattern, 'schema');
    for (const row of rows) found.add(row.name);
  }
  return found;
}

async function matchRelations(
  session: Session,
  target: PostgresTarget,
  key: keyof Filters,
  patterns: readonly string[] | undefined,
  relations: readonly Relation[],
): Promise<ReadonlySet<number>> {
  const found = new Set<number>();
  for (const pattern of patterns ?? []) {
    const { schema, name } = readPattern(pattern);
    const rows = await session.query<{ readonly oid: string }>(
      `SELECT c.oid::int8 AS oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
       WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND c.relpersistence <> 't' AND ${own('n.nspname')}
         AND c.relname::text ~ $1 AND ($2::text IS NULL OR n.nspname::text ~ $2)`,
      [name, schema],
    );
    if (rows.length === 0) throw matchesNothing(target, key, pattern, 'table');
    for (const { oid } of rows) found.add(Number(oid));
  }
  // Partitions and the sequences of columns go where their table goes.
  for (const { oid, parents } of relations) if (parents.some((parent) => found.has(parent))) found.add(oid);
  return found;
}

const matchesNothing = (
  { database }: PostgresTarget,
  key: string,
  pattern: string,
  what: string,
): ReturnType<typeof targetError> =>
  targetError(`cannot capture ${database}: \`${key}\` names ${JSON.stringify(pattern)}, which matches no ${what}`, {
    hint: 'correct the pattern: letters are lower-case unless they stand in double quotes, `*` stands for any',
  });

function warningsOf({ schemas, excludeSchemas, tables, excludeTables, excludeRows }: Filters): readonly string[] {
  const lists = (words: string, list: readonly string[] | undefined): readonly string[] =>
    list === undefined ? [] : [`${words} ${list.join(', ')}`];
  return [
    ...lists('without types, functions, schemas, extensions and large objects: only the tables', tables),
    ...(tables === undefined ? lists('without large objects and extensions: only the schemas', schemas) : []),
    ...lists('without the schemas', excludeSchemas),
    ...lists('without the tables', excludeTables),
    ...lists('without the rows of', excludeRows),
  ];
}

function own(schema: string): string {
  return `${schema} !~ '^pg_' AND ${schema} <> 'information_schema'`;
}
