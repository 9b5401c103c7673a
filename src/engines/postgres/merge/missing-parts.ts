import type { Context } from '../../../context.ts';
import { isRelation, keyOf } from '../script/chosen-paths.ts';
import type { Session } from '../server/connection.ts';
import { bareStatements } from '../script/section-statement.ts';
import type { DefinitionSource } from '../script/definitions.ts';
import { readDefinitions } from '../script/read-data.ts';
import type { Section } from '../script/sections.ts';
import { tableKey } from '../server/table-key.ts';

/** Parts of tables, named after them. */
const PART = /^(?:FK CONSTRAINT|CONSTRAINT|CHECK CONSTRAINT|TRIGGER|RULE|POLICY)$/;
const [MOST_TOLD, MOST_LETTERS] = [20, 500];

/**
 * Tells of keys, indexes, triggers, rules, policies and views that the archive has and the database lacks, one sentence
 * each, with the statement that makes them.
 */
export async function tellMissingParts(
  session: Session,
  { artifact, program, unowned }: DefinitionSource,
  all: readonly Section[],
  isTold: (id: number) => boolean,
  context: Context,
): Promise<readonly string[]> {
  const { relations, parts } = await readParts(session);
  const byId = new Map(all.map((section) => [section.id, section]));
  const missing = new Map<number, string>();
  const isThere = (section: Section): boolean => relations.has(keyOf(section));
  for (const section of all) {
    const { id, type, schema, name, dependencies } = section;
    if (unowned?.leftOut.has(id) === true) continue;
    const known = dependencies.flatMap((one) => byId.get(one) ?? []).filter(isRelation);
    if (type === 'VIEW' || type === 'INDEX') {
      const isWanted = type === 'VIEW' ? isTold(id) : known.every((one) => isTold(one.id) && isThere(one));
      if (isWanted && !isThere(section)) missing.set(id, `${type.toLowerCase()} ${keyOf(section)} is missing`);
    }
    const table = known.find((one) => one.schema === schema && name.startsWith(`${one.name} `));
    if (!PART.test(type) || table === undefined || !isTold(table.id) || !isThere(table)) continue;
    const own = name.slice(table.name.length + 1);
    if (parts.has(partKey(kindOf(type), keyOf(table), own))) continue;
    missing.set(id, `${type.toLowerCase()} ${own} of ${keyOf(table)} is missing`);
  }
  if (missing.size === 0) return [];
  const told: string[] = [];
  await readDefinitions(artifact, program, context, ({ id, sql }) => {
    const sentence = missing.get(id);
    if (sentence !== undefined && told.length < MOST_TOLD) told.push(`${sentence}: ${inOneLine(sql)}`);
  });
  const rest = missing.size - told.length;
  return rest === 0 ? told : [...told, `${rest} more keys, indexes, triggers, rules, policies or views are missing`];
}

function inOneLine(sql: string): string {
  const line = bareStatements(sql).replaceAll(/\s+/g, ' ').trim();
  return line.length <= MOST_LETTERS ? line : `${line.slice(0, MOST_LETTERS)} …`;
}

const kindOf = (type: string): string => (type.endsWith('CONSTRAINT') ? 'CONSTRAINT' : type);
const partKey = (kind: string, table: string, name: string): string => JSON.stringify([kind, table, name]);

async function readParts(
  session: Session,
): Promise<{ readonly relations: ReadonlySet<string>; readonly parts: ReadonlySet<string> }> {
  const rows = await session.query<{
    readonly schema: string;
    readonly table: string;
    readonly kind: string | null;
    readonly name: string | null;
  }>(
    `SELECT n.nspname AS schema, c.relname AS table, p.kind, p.name FROM pg_catalog.pg_class c
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     LEFT JOIN (SELECT conrelid AS oid, 'CONSTRAINT' AS kind, conname AS name FROM pg_catalog.pg_constraint
       UNION ALL SELECT tgrelid, 'TRIGGER', tgname FROM pg_catalog.pg_trigger WHERE NOT tgisinternal
       UNION ALL SELECT ev_class, 'RULE', rulename FROM pg_catalog.pg_rewrite
       UNION ALL SELECT polrelid, 'POLICY', polname FROM pg_catalog.pg_policy) AS p ON p.oid = c.oid
     WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND c.relpersistence <> 't'`,
  );
  return {
    relations: new Set(rows.map(({ schema, table }) => tableKey(schema, table))),
    parts: new Set(
      rows.flatMap(({ schema, table, kind, name }) =>
        kind === null || name === null ? [] : [partKey(kind, tableKey(schema, table), name)],
      ),
    ),
  };
}
