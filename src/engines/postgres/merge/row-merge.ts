import { parseCopy, type ScriptPart } from '../script/copy-script.ts';
import type { Session } from '../server/connection.ts';
import { tableKey } from '../server/table-key.ts';
import { mergeRows } from './rows.ts';
import { labelOf, type MergeTable, qualified, readMergeTable } from './table.ts';

/** Takes the rows of an archive, table by table. */
export interface RowMerge {
  take(part: Extract<ScriptPart, { kind: 'copy' }>): Promise<void>;
  readonly inserted: ReadonlyMap<MergeTable, number>;
  readonly conflicts: readonly string[];
}

/** `there` are tables that are known; `wanted` the keys of those that are meant, null means all. */
export function openRowMerge(
  session: Session,
  there: readonly MergeTable[],
  wanted: ReadonlySet<string> | null,
): RowMerge {
  const known = new Map(there.map((table) => [qualified(table), table]));
  const inserted = new Map<MergeTable, number>();
  const conflicts: string[] = [];
  return {
    inserted,
    conflicts,
    async take({ statement, rows }) {
      const { schema, name, columns } = parseCopy(statement);
      if (wanted?.has(tableKey(schema, name)) === false) return;
      const table = known.get(qualified({ schema, name })) ?? (await readMergeTable(session, schema, name));
      if (table === null || table.kind === 'other') {
        conflicts.push(`${labelOf({ schema, name })}: something else has its name now`);
        return;
      }
      const merged = await mergeRows(session, table, columns, rows);
      conflicts.push(...merged.conflicts);
      if (merged.inserted > 0) inserted.set(table, merged.inserted);
    },
  };
}
