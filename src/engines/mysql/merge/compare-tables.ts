import type { Session } from '../server/connection.ts';
import { MARK_TABLE } from '../server/database-facts.ts';
import { holdsRows, readTables } from '../server/objects.ts';
import { qualified, quoteIdentifier } from '../server/quote.ts';
import { type Column, readColumns, readUniqueKeys, type UniqueKey } from './tables.ts';

/** A table that was captured and is there. */
export interface MergeTable {
  readonly name: string;
  /** Where its rows come back to. */
  readonly live: string;
  /** The captured one. */
  readonly staged: string;
  /** Where rows that are missing are gathered. */
  readonly missing: string;
  /** Another name of it, under which it is locked too. */
  readonly ownAlias: string;
  /** What both have and is not computed. */
  readonly columns: readonly Column[];
  /** What tells rows apart; null where only all of a row does. */
  readonly key: UniqueKey | null;
  /** What else must not be there twice. */
  readonly otherKeys: readonly UniqueKey[];
  /** What changes it can be taken back. */
  readonly isTransactional: boolean;
}

export interface TableComparison {
  readonly both: readonly MergeTable[];
  /** Captured and gone. */
  readonly gone: readonly string[];
  readonly goneSequences: readonly string[];
  readonly warnings: readonly string[];
  readonly conflicts: readonly string[];
}

/** Holds the captured tables against those that are there. */
export async function compareTables(session: Session, side: string, database: string): Promise<TableComparison> {
  const staged = (await readTables(session, side)).filter(({ name }) => name !== MARK_TABLE);
  const live = new Map((await readTables(session, database)).map((table) => [table.name, table]));
  const stagedColumns = await readColumns(session, side);
  const liveColumns = await readColumns(session, database);
  const keys = await readUniqueKeys(session, database);
  const both: MergeTable[] = [];
  const warnings: string[] = [];
  const conflicts: string[] = [];
  const tables = staged.filter(holdsRows);
  for (const [index, { name }] of tables.entries()) {
    const there = live.get(name);
    if (there === undefined) continue;
    if (!holdsRows(there)) {
      conflicts.push(`table ${name} was captured, and a ${there.type.toLowerCase()} of that name is there`);
      continue;
    }
    const known = new Set((liveColumns.get(name) ?? []).map((column) => column.name));
    const all = stagedColumns.get(name) ?? [];
    const columns = all.filter((column) => known.has(column.name));
    const lost = all.filter((column) => !known.has(column.name));
    if (lost.length > 0)
      warnings.push(
        `table ${name}: columns that are not there any more were left out: ${lost.map((one) => one.name).join(', ')}`,
      );
    const ofTable = (keys.get(name) ?? []).filter((key) =>
      key.columns.every((one) => columns.some((has) => has.name === one)),
    );
    const key = ofTable.find(({ isStrict }) => isStrict) ?? null;
    both.push({
      name,
      live: qualified(database, name),
      staged: qualified(side, name),
      missing: qualified(side, `${MISSING}${index}`),
      ownAlias: `own_${index}`,
      columns,
      key,
      otherKeys: ofTable.filter((one) => one !== key),
      isTransactional: /^(?:innodb|rocksdb)$/i.test(there.engine ?? ''),
    });
  }
  return {
    both,
    gone: tables.filter(({ name }) => !live.has(name)).map(({ name }) => name),
    goneSequences: staged.filter(({ type, name }) => type === 'SEQUENCE' && !live.has(name)).map(({ name }) => name),
    warnings,
    conflicts,
  };
}

/** How tables with missing rows are called. */
const MISSING = '_bkp_missing_';

/** `a`, `b` of a table, each with its name before it. */
export const columnsOf = (table: string, columns: readonly { readonly name: string }[]): string =>
  columns.map(({ name }) => `${table}.${quoteIdentifier(name)}`).join(', ');

export const columnList = (columns: readonly { readonly name: string }[]): string =>
  columns.map(({ name }) => quoteIdentifier(name)).join(', ');

/** Two tables agree in some columns, one by one. */
export const sameIn = (
  one: string,
  columns: readonly string[],
  other: string,
  others: readonly string[] = columns,
): string =>
  columns
    .map((name, index) => `${one}.${quoteIdentifier(name)} = ${other}.${quoteIdentifier(others[index] ?? name)}`)
    .join(' AND ');
