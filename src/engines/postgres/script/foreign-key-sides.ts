import { keyOf } from './chosen-paths.ts';
import type { Section } from './sections.ts';
import { tableKey } from '../server/table-key.ts';
import { unquoteIdentifier } from '../server/quote.ts';

const IDENTIFIER = String.raw`("(?:[^"]|"")+"|[^\s".(]+)`;
const SIDES = new RegExp(
  String.raw`^ALTER TABLE (?:ONLY )?${IDENTIFIER}\.${IDENTIFIER}\s+ADD CONSTRAINT .* REFERENCES ${IDENTIFIER}\.${IDENTIFIER}\s?\(`,
  's',
);

/** The table of a foreign key and the one it refers to, by their keys; null for a statement that is none of pg_dump's. */
function sidesOf({ sql }: Pick<Section, 'sql'>): { readonly child: string; readonly parent: string } | null {
  const start = sql.indexOf('ALTER TABLE ');
  const [, schema, name, otherSchema, other] = SIDES.exec(start < 0 ? '' : sql.slice(start)) ?? [];
  if (schema === undefined || name === undefined || otherSchema === undefined || other === undefined) return null;
  return {
    child: tableKey(unquoteIdentifier(schema), unquoteIdentifier(name)),
    parent: tableKey(unquoteIdentifier(otherSchema), unquoteIdentifier(other)),
  };
}

/**
 * Foreign keys from and to tables that are made come back where their other side is there or made too; the others are told.
 * Those of tables that are there only come back where the table they refer to is made.
 */
export function judgeForeignKeys(
  all: readonly Section[],
  belonging: ReadonlySet<number>,
  isThere: (key: string) => boolean,
): { readonly wanted: ReadonlySet<number>; readonly warnings: readonly string[] } {
  const made = new Set(all.flatMap((one) => (one.type === 'TABLE' && belonging.has(one.id) ? [keyOf(one)] : [])));
  const wanted = new Set(belonging);
  const warnings: string[] = [];
  for (const section of all) {
    if (section.type !== 'FK CONSTRAINT') continue;
    const sides = sidesOf(section);
    if (sides === null) continue;
    const { child, parent } = sides;
    if (!made.has(child) && !made.has(parent)) continue;
    const other = made.has(child) ? parent : child;
    if (made.has(other) || isThere(other)) wanted.add(section.id);
    else {
      wanted.delete(section.id);
      warnings.push(
        `foreign key ${section.name.split(' ').at(-1) ?? ''} of ${child} was left out: ${other} is not there`,
      );
    }
  }
  return { wanted, warnings };
}
