import type { DatabaseSync } from 'node:sqlite';
import { targetError } from '../../errors.ts';
import type { FactValue } from '../engine.ts';
import { explainSqliteError, openUnchanging } from './database.ts';

export interface QueryInput {
  readonly path: string;
  readonly name: string;
  readonly sql: readonly string[];
}

/** Evaluates checks on a finished copy: each a single SELECT that returns one value in one row. */
export function queryCopy({ path, name, sql }: QueryInput): readonly FactValue[] {
  try {
    const database = openUnchanging(path);
    try {
      return sql.map((one) => queryValue(database, one));
    } finally {
      database.close();
    }
  } catch (error) {
    throw explainSqliteError('query', name, error);
  }
}

function queryValue(database: DatabaseSync, sql: string): FactValue {
  const refuse = (reason: string): Error => targetError(`cannot evaluate check "${sql}": ${reason}`);
  if (!/^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)*(?:select|with|values)\b/i.test(sql)) throw refuse('it is not a SELECT');
  let statement;
  try {
    statement = database.prepare(sql);
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error));
  }
  // SQLite compiles the first statement and leaves the rest unseen.
  const rest = sql.slice(statement.sourceSQL.length).replace(/--[^\n]*|\/\*[\s\S]*?\*\//g, '');
  if (/[^\s;]/.test(rest)) throw refuse('it is more than one statement');
  statement.setReadBigInts(true);
  let row: Record<string, unknown> | undefined;
  for (const found of statement.iterate()) {
    if (row !== undefined) throw refuse('it returned more than one row');
    row = found;
  }
  if (row === undefined) throw refuse('it returned no row');
  const values = Object.values(row);
  if (values.length !== 1) throw refuse(`it returned ${values.length} columns`);
  const value = values[0];
  if (typeof value === 'bigint') {
    return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : String(value);
  }
  if (value === null || typeof value === 'string' || typeof value === 'number') return value;
  throw refuse('it returned a blob');
}
