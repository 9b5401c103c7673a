import { DatabaseSync } from 'node:sqlite';
import { targetError } from '../../errors.ts';
import { explainSqliteError, quoteName, quoteText } from './database.ts';
import { findViolations, newViolations, rememberKeys, removeViolating, type Violations } from './foreign-keys.ts';
import { mergeTable } from './merge-table.ts';
import { mergeVirtualTable, moduleOf } from './merge-virtual.ts';
import { ARTIFACT, listTables, type Table } from './schema.ts';

export interface MergeInput {
  readonly path: string;
  /** A finished copy of the artifact. */
  readonly artifact: string;
  readonly skipConflicts: boolean;
  readonly busyTimeoutMs: number;
}

export interface MergeOutput {
  /** Rows that came back, by `table <name>`. */
  readonly restored: Readonly<Record<string, number>>;
  readonly conflicts: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * Adds what an artifact has and a database lacks, in one transaction that other connections see whole or not at all.
 * Triggers do not fire: they are taken out and put back inside the transaction.
 */
export function mergeDatabase(input: MergeInput): MergeOutput {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(input.path, {
      enableForeignKeyConstraints: false,
      // Schemas written by older SQLite may hold them; they must go in again as they came out.
      enableDoubleQuotedStringLiterals: true,
    });
    database.exec(`PRAGMA busy_timeout = ${input.busyTimeoutMs}`);
    const uri = `file:${encodeURI(input.artifact).replace(/[?#]/g, encodeURIComponent)}?immutable=1`;
    database.exec(`ATTACH DATABASE ${quoteText(uri)} AS ${ARTIFACT}`);
    database.exec('BEGIN IMMEDIATE');
    const output = mergeInTransaction(database);
    if (output.conflicts.length > 0 && !input.skipConflicts) {
      database.exec('ROLLBACK');
      throw targetError(`cannot merge into ${input.path}: ${output.conflicts.join('; ')}`, {
        hint: 'nothing was changed; `--skip-conflicts` leaves these rows out',
      });
    }
    database.exec('COMMIT');
    return output;
  } catch (error) {
    throw explainSqliteError('merge into', input.path, error);
  } finally {
    database?.close();
  }
}

function mergeInTransaction(database: DatabaseSync): MergeOutput {
  const conflicts: string[] = [];
  const warnings: string[] = [];
  const before = findViolations(database);
  const putTriggersBack = takeTriggersOut(database);
  const { tables, virtuals } = planTables(database, warnings);
  const created = createMissing(database, [...tables, ...virtuals], conflicts);
  const restored: Record<string, number> = {};
  const mergeable = tables.filter((table) => listTables(database, 'main').some(isSame(table)));
  for (const table of mergeable) {
    if (table.isWithoutRowid) rememberKeys(database, table);
    const result = mergeTable(database, table);
    restored[table.name] = result.inserted;
    conflicts.push(...result.conflicts);
  }
  conflicts.push(...settleForeignKeys(database, mergeable, before, restored));
  for (const table of virtuals) {
    const { inserted, warning } = mergeVirtualTable(database, table);
    if (inserted > 0) restored[table.name] = inserted;
    if (warning !== null) warnings.push(warning);
  }
  raiseSequences(database);
  for (const table of created) createDependents(database, table);
  putTriggersBack();
  return {
    restored: Object.fromEntries(Object.entries(restored).map(([name, rows]) => [`table ${name}`, rows])),
    conflicts,
    warnings,
  };
}

const isSame =
  (table: Table) =>
  ({ name, kind }: Table): boolean =>
    name.toLowerCase() === table.name.toLowerCase() && kind === table.kind;

function takeTriggersOut(database: DatabaseSync): () => void {
  const triggers = database.prepare("SELECT name, sql FROM main.sqlite_schema WHERE type = 'trigger'").all();
  for (const trigger of triggers) database.exec(`DROP TRIGGER main.${quoteName(String(trigger['name']))}`);
  return () => {
    for (const trigger of triggers) database.prepare(String(trigger['sql'])).run();
  };
}

/** What of the artifact is merged: tables, and virtual tables whose module is here. Their shadow tables follow them. */
function planTables(
  database: DatabaseSync,
  warnings: string[],
): { readonly tables: readonly Table[]; readonly virtuals: readonly Table[] } {
  const stored = listTables(database, ARTIFACT);
  const virtualSql = database
    .prepare(`SELECT name, sql FROM ${ARTIFACT}.sqlite_schema WHERE sql LIKE 'CREATE VIRTUAL%'`)
    .all();
  const modules = new Set(
    database
      .prepare('SELECT name FROM pragma_module_list')
      .all()
      .map((row) => String(row['name'])),
  );
  const unknown = virtualSql
    .filter((row) => !modules.has(moduleOf(String(row['sql']))))
    .map((row) => String(row['name']));
  for (const name of unknown) {
    warnings.push(
      `table ${name} belongs to an extension that is not here: it and its own tables were left as they are`,
    );
  }
  const belongs = (table: Table): boolean =>
    unknown.some((name) => table.name === name || table.name.startsWith(`${name}_`));
  const known = stored.filter((table) => !belongs(table));
  return {
    tables: known.filter((table) => table.kind === 'table'),
    virtuals: known.filter((table) => table.kind === 'virtual'),
  };
}

/** Makes tables that are gone; a name that something else has taken is a conflict. */
function createMissing(database: DatabaseSync, tables: readonly Table[], conflicts: string[]): readonly Table[] {
  const own = listTables(database, 'main');
  return tables.filter((table) => {
    const taken = own.find(({ name }) => name.toLowerCase() === table.name.toLowerCase());
    if (taken === undefined) {
      const definition = database.prepare(`SELECT sql FROM ${ARTIFACT}.sqlite_schema WHERE name = ?`).get(table.name);
      database.prepare(String(definition?.['sql'])).run();
      return true;
    }
    if (taken.kind !== table.kind) conflicts.push(`table ${table.name}: a ${taken.kind} has its name now`);
    return false;
  });
}

/** Indexes and triggers of a table that was made again, after its rows are in. */
function createDependents(database: DatabaseSync, table: Table): void {
  const rows = database
    .prepare(
      `SELECT sql FROM ${ARTIFACT}.sqlite_schema WHERE tbl_name = ? AND type IN ('index', 'trigger') AND sql IS NOT NULL`,
    )
    .all(table.name);
  for (const row of rows) database.prepare(String(row['sql'])).run();
}

/** Rows that came back without the row they refer to are taken out again; each round may leave others alone. */
function settleForeignKeys(
  database: DatabaseSync,
  tables: readonly Table[],
  before: Violations,
  restored: Record<string, number>,
): readonly string[] {
  const orphans = new Map<string, number>();
  for (;;) {
    const added = newViolations(before, findViolations(database));
    if (added.rows.size + added.counts.size === 0) break;
    let removed = 0;
    for (const table of tables) {
      const count = added.rows.get(table.name)?.size ?? added.counts.get(table.name) ?? 0;
      if (count === 0) continue;
      const gone = removeViolating(database, table, added);
      orphans.set(table.name, (orphans.get(table.name) ?? 0) + gone);
      restored[table.name] = (restored[table.name] ?? 0) - gone;
      removed += gone;
    }
    if (removed === 0) throw new Error('foreign keys do not settle');
  }
  return [...orphans].map(
    ([name, count]) =>
      `table ${name}: ${count} ${count === 1 ? 'row refers' : 'rows refer'} to rows that are not there`,
  );
}

/** Ids that AUTOINCREMENT gave out once are not given out again. */
function raiseSequences(database: DatabaseSync): void {
  const has = (schema: string): boolean =>
    database.prepare(`SELECT 1 FROM ${schema}.sqlite_schema WHERE name = 'sqlite_sequence'`).get() !== undefined;
  if (!has('main') || !has(ARTIFACT)) return;
  database.exec(`UPDATE main.sqlite_sequence AS s SET seq = a.seq FROM ${ARTIFACT}.sqlite_sequence AS a
    WHERE a.name = s.name AND a.seq > s.seq`);
  database.exec(`INSERT INTO main.sqlite_sequence (name, seq) SELECT name, seq FROM ${ARTIFACT}.sqlite_sequence
    WHERE name NOT IN (SELECT name FROM main.sqlite_sequence) AND name IN (SELECT name FROM main.sqlite_schema WHERE type = 'table')`);
}
