import { targetError } from '../../errors.ts';
import type { FactValue } from '../engine.ts';

/** The one value of what a check of the policy gave; numbers that are exact as such, everything else as text. */
export function onlyValue(sql: string, rows: readonly Readonly<Record<string, unknown>>[]): FactValue {
  const [row, ...more] = rows;
  const values = Object.values(row ?? {});
  if (row === undefined || more.length > 0 || values.length !== 1)
    throw targetError(
      `cannot check with ${JSON.stringify(sql)}: it gives ${rows.length} rows of ${values.length} values, not one value`,
    );
  return factOf(values[0]);
}

function factOf(value: unknown): FactValue {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
  const text =
    typeof value === 'string' ? value : Buffer.isBuffer(value) ? value.toString('utf8') : JSON.stringify(value);
  return /^-?\d{1,15}(\.\d{1,9})?$/.test(text) ? Number(text) : text;
}
