import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export interface RowComparison {
  readonly compared: number;
  readonly differences: readonly string[];
}

/**
 * Compares a restored tracker database with what the live one held right before the disaster, row by row: every
 * restored row must be there and equal, and every row up to the newest restored one must have come back.
 */
export function compareRows(restored: string, reference: string): RowComparison {
  const database = new DatabaseSync(restored, { readOnly: true });
  database.prepare('ATTACH ? AS reference').run(reference);
  const differences: string[] = [];
  let compared = 0;
  for (const table of ['projects', 'issues', 'events']) {
    const newest = Number(database.prepare(`SELECT max(id) AS id FROM main.${table}`).get()?.['id'] ?? 0);
    const theirs = database.prepare(`SELECT * FROM reference.${table} WHERE id <= ? ORDER BY id`).iterate(newest);
    for (const row of database.prepare(`SELECT * FROM main.${table} ORDER BY id`).iterate()) {
      compared += 1;
      const other = theirs.next().value;
      if (JSON.stringify(row) !== JSON.stringify(other)) differences.push(`${table} ${String(row['id'])}`);
    }
    if (theirs.next().done !== true) differences.push(`${table}: rows are missing`);
  }
  database.close();
  return { compared, differences };
}

/** Path and hash of every file below a folder, sorted: equal for equal trees. */
export function digestTree(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()
    .map((path) => `${relative(folder, path)} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`);
}
