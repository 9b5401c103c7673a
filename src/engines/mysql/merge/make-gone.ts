import type { Session } from '../server/connection.ts';
import { qualified, quoteIdentifier } from '../server/quote.ts';
import { type MergeTable } from './compare-tables.ts';
import { readColumns } from './tables.ts';

/** Makes tables that are gone as they were captured, without rows. Names of foreign keys may be taken: the server tells. */
export async function makeGone(
  session: Session,
  side: string,
  database: string,
  names: readonly string[],
): Promise<void> {
  await session.query(`USE ${quoteIdentifier(database)}`);
  await session.query('SET SESSION foreign_key_checks = 0');
  for (const name of names) {
    const [row] = await session.query<Readonly<Record<string, string>>>(`SHOW CREATE TABLE ${qualified(side, name)}`);
    await session.query(row?.['Create Table'] ?? '');
  }
}

/** The same as tables to be filled: all of their captured rows are missing. */
export async function goneTables(
  session: Session,
  side: string,
  database: string,
  names: readonly string[],
): Promise<readonly MergeTable[]> {
  const columns = await readColumns(session, side);
  return names.map((name, index) => ({
    name,
    live: qualified(database, name),
    staged: qualified(side, name),
    missing: qualified(side, name),
    ownAlias: `own_gone_${index}`,
    columns: columns.get(name) ?? [],
    key: null,
    otherKeys: [],
    isTransactional: true,
  }));
}

/** Sequences come back, and none goes back. */
export async function raiseSequences(
  session: Session,
  side: string,
  database: string,
  gone: readonly string[],
): Promise<void> {
  const rows = await session.query<{ readonly name: string }>(
    `SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_TYPE = 'SEQUENCE'`,
    [side],
  );
  for (const { name } of rows) {
    if (gone.includes(name)) {
      const [made] = await session.query<Readonly<Record<string, string>>>(
        `SHOW CREATE SEQUENCE ${qualified(side, name)}`,
      );
      await session.query(`USE ${quoteIdentifier(database)}`);
      await session.query(made?.['Create Table'] ?? made?.['Create Sequence'] ?? '');
    }
    const [next] = await session.query<{ readonly value: string }>(
      `SELECT next_not_cached_value AS value FROM ${qualified(side, name)}`,
    );
    // A value that is not above what it has already stays without effect.
    if (next !== undefined) await session.query(`DO SETVAL(${qualified(database, name)}, ${String(next.value)}, 0)`);
  }
}

/** Numbers that the captured table would not have given again are not given now either. */
export async function raiseAutoIncrements(session: Session, side: string, database: string): Promise<void> {
  const rows = await session.query<{ readonly name: string; readonly value: string }>(
    `SELECT s.TABLE_NAME AS name, s.AUTO_INCREMENT AS value FROM information_schema.TABLES s
     JOIN information_schema.TABLES l ON l.TABLE_SCHEMA = ? AND l.TABLE_NAME = s.TABLE_NAME
     WHERE s.TABLE_SCHEMA = ? AND s.AUTO_INCREMENT > l.AUTO_INCREMENT`,
    [database, side],
  );
  for (const { name, value } of rows)
    await session.query(`ALTER TABLE ${qualified(database, name)} AUTO_INCREMENT = ${String(value)}`);
}
