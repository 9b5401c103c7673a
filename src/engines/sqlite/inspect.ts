import { closeSync, openSync, readSync, statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { integrityError, type BkpError } from '../../errors.ts';
import type { Facts } from '../engine.ts';
import { explainSqliteError, openUnchanging, quoteName } from './database.ts';

export interface InspectInput {
  /** A finished copy that nobody changes. */
  readonly path: string;
  /** What it is a copy of, for messages. */
  readonly name: string;
}

/** Checks a copy from end to end and counts what is in it. Throws `integrity` for damage. */
export function inspectCopy({ path, name }: InspectInput): Facts {
  assertHeader(path, name);
  try {
    const database = openUnchanging(path);
    try {
      assertWholePages(database, path, name);
      assertIntegrity(database, name);
      return countFacts(database);
    } finally {
      database.close();
    }
  } catch (error) {
    throw explainSqliteError('check', name, error);
  }
}

/** SQLite looks at the header late, and says little of it. */
function assertHeader(path: string, name: string): void {
  const start = Buffer.alloc(16);
  const file = openSync(path, 'r');
  try {
    readSync(file, start);
  } finally {
    closeSync(file);
  }
  if (start.toString('latin1') === 'SQLite format 3\0') return;
  throw integrityError(`cannot trust database ${name}: it is not a SQLite database`);
}

/** SQLite reads a page that is cut short as if zeros followed. */
function assertWholePages(database: DatabaseSync, path: string, name: string): void {
  const { page_size: pageSize } = database.prepare('PRAGMA page_size').get() ?? {};
  if (statSync(path).size % Number(pageSize) !== 0) throw damageError(name, ['its last page is cut']);
}

function assertIntegrity(database: DatabaseSync, name: string): void {
  const rows = database.prepare('PRAGMA integrity_check(5)').all();
  const findings = rows.map((row) => String(row['integrity_check'])).filter((text) => text !== 'ok');
  if (findings.length > 0) throw damageError(name, findings);
}

function damageError(name: string, findings: readonly string[]): BkpError {
  return integrityError(`cannot trust database ${name}: ${findings.join('; ').replaceAll('\n', ' ')}`, {
    hint: 'it is damaged: restore the last good snapshot',
  });
}

function countFacts(database: DatabaseSync): Facts {
  const pragma = (name: string): number | string => {
    const value = Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
    return typeof value === 'number' ? value : String(value);
  };
  const tables: Record<string, number> = {};
  let virtualTables = 0;
  const names = database.prepare(
    "SELECT name, type FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
  );
  for (const { name, type } of names.all() as unknown as readonly { name: string; type: string }[]) {
    if (type === 'virtual') virtualTables += 1;
    if (type !== 'table') continue;
    tables[name] = Number(database.prepare(`SELECT count(*) AS n FROM main.${quoteName(name)}`).get()?.['n']);
  }
  return {
    tables,
    virtualTables,
    foreignKeyViolations: countForeignKeyViolations(database),
    userVersion: pragma('user_version'),
    applicationId: pragma('application_id'),
    encoding: pragma('encoding'),
    pageSize: pragma('page_size'),
    pageCount: pragma('page_count'),
  };
}

/** Null when the schema's foreign keys make no sense, so that nothing can be checked. */
function countForeignKeyViolations(database: DatabaseSync): number | null {
  try {
    return Number(database.prepare('SELECT count(*) AS n FROM pragma_foreign_key_check').get()?.['n']);
  } catch {
    return null;
  }
}
