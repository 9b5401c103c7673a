import type { DatabaseSync } from 'node:sqlite';
import { quoteName } from './database.ts';
import { ARTIFACT, listColumns, qualified, type Table } from './schema.ts';

/** How a virtual table is merged. `other`: nothing is known of its module. */
type Shape =
  | { readonly kind: 'keyed'; readonly key: string; readonly columns: readonly string[] }
  | { readonly kind: 'index' }
  | { readonly kind: 'contentless' }
  | { readonly kind: 'other'; readonly module: string };

/**
 * Brings back what is missing in a virtual table: rows of full-text and R*Tree tables by their id; an index over another
 * table is built again. Returns the rows that came back, and a warning where nothing could be done.
 */
export function mergeVirtualTable(
  database: DatabaseSync,
  table: Table,
): { readonly inserted: number; readonly warning: string | null } {
  const shape = shapeOf(database, table.name);
  const own = qualified('main', table.name);
  const quoted = quoteName(table.name);
  switch (shape.kind) {
    case 'index':
      database.exec(`INSERT INTO ${own} (${quoted}) VALUES ('rebuild')`);
      return { inserted: 0, warning: null };
    case 'keyed': {
      const columns = [shape.key, ...shape.columns].map(quoteName).join(', ');
      const stored = qualified(ARTIFACT, table.name);
      const missing = `${quoteName(shape.key)} NOT IN (SELECT ${quoteName(shape.key)} FROM ${own})`;
      const insert = `INSERT INTO ${own} (${columns}) SELECT ${columns} FROM ${stored} WHERE ${missing}`;
      return { inserted: Number(database.prepare(insert).run().changes), warning: null };
    }
    case 'contentless':
      return { inserted: 0, warning: `table ${table.name} keeps no content of its own: it was left as it is` };
    case 'other':
      return {
        inserted: 0,
        warning: `table ${table.name} belongs to the extension ${shape.module}: it was left as it is`,
      };
  }
}

function shapeOf(database: DatabaseSync, name: string): Shape {
  const definition = database.prepare(`SELECT sql FROM ${ARTIFACT}.sqlite_schema WHERE name = ?`).get(name);
  const sql = String(definition?.['sql']);
  const module = moduleOf(sql);
  const columns = (): readonly string[] => listColumns(database, ARTIFACT, name).map((column) => column.name);
  if (/^fts[345]$/.test(module)) {
    const content = /\bcontent\s*=\s*(?:'([^']*)'|"([^"]*)"|([^\s,)]*))/i.exec(sql);
    if (content === null) return { kind: 'keyed', key: 'rowid', columns: columns() };
    return (content[1] ?? content[2] ?? content[3]) === '' ? { kind: 'contentless' } : { kind: 'index' };
  }
  const [key = '', ...rest] = columns();
  if (module === 'rtree' || module === 'rtree_i32') return { kind: 'keyed', key, columns: rest };
  return { kind: 'other', module };
}

/** The module in `CREATE VIRTUAL TABLE … USING module(…)`, in lower case. */
export function moduleOf(sql: string): string {
  return (/\busing\s+["'`[]?(\w+)/i.exec(sql)?.[1] ?? '').toLowerCase();
}
