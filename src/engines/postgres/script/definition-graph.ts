import { isRelation } from './chosen-paths.ts';
import type { Section } from './sections.ts';

/** Belong to a table and name it first: `orders orders_pkey`. */
const NAMED_AFTER_TABLE = /^(?:DEFAULT|CONSTRAINT|CHECK CONSTRAINT|FK CONSTRAINT|TRIGGER|RULE|POLICY)$/;
/** Belong to what they depend on. */
const DEPENDENT =
  /^(?:SEQUENCE|SEQUENCE OWNED BY|ACL|COMMENT|SECURITY LABEL|ROW SECURITY|MATERIALIZED VIEW DATA|PUBLICATION TABLE)$/;
/** The same, but an index of a partition also depends on that of the table that the partition is of. */
const OF_ONE_TABLE = /^(?:INDEX|STATISTICS)$/;
/** Belong to what joins, which they are named after. */
const ATTACHED = /^(?:TABLE ATTACH|INDEX ATTACH)$/;
const NEEDED =
  /^(?:SCHEMA|EXTENSION|TYPE|SHELL TYPE|DOMAIN|COLLATION|FUNCTION|PROCEDURE|AGGREGATE|OPERATOR|OPERATOR CLASS|OPERATOR FAMILY|SEQUENCE|SERVER|FOREIGN DATA WRAPPER|ACCESS METHOD|TEXT SEARCH .*)$/;
const COMPANION = /^(?:ACL|COMMENT|SECURITY LABEL)$/;

/** Relations with all that goes with them: defaults, own sequences, keys, indexes, triggers, rights, comments. */
export function belongingTo(all: readonly Section[], relations: ReadonlySet<number>): ReadonlySet<number> {
  const byId = new Map(all.map((section) => [section.id, section]));
  const found = new Set(relations);
  for (let size = 0; size !== found.size;) {
    size = found.size;
    for (const section of all) if (!found.has(section.id) && belongs(section, found, byId)) found.add(section.id);
  }
  return found;
}

function belongs(
  { type, schema, name, dependencies }: Section,
  found: ReadonlySet<number>,
  byId: ReadonlyMap<number, Section>,
): boolean {
  const known = dependencies.flatMap((id) => byId.get(id) ?? []);
  const owners = known.filter(({ id }) => found.has(id));
  if (owners.length === 0) return false;
  if (NAMED_AFTER_TABLE.test(type))
    return owners.some((owner) => owner.schema === schema && name.startsWith(`${owner.name} `));
  if (ATTACHED.test(type))
    return owners.some((owner) => owner.schema === schema && ` ${owner.name}`.endsWith(` ${name}`));
  if (OF_ONE_TABLE.test(type)) return known.every((one) => !isRelation(one) || found.has(one.id));
  return DEPENDENT.test(type);
}

/** What sections cannot be without, relations aside, and the schemas that they are in. */
export function neededBy(all: readonly Section[], wanted: ReadonlySet<number>): ReadonlySet<number> {
  const byId = new Map(all.map((section) => [section.id, section]));
  const schemas = new Map(all.flatMap(({ id, type, name }) => (type === 'SCHEMA' ? [[name, id] as const] : [])));
  const found = new Set<number>();
  const queue = [...wanted];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    const section = byId.get(id);
    if (section === undefined) continue;
    const home = schemas.get(section.schema);
    for (const next of [...section.dependencies, ...(home === undefined ? [] : [home])]) {
      if (found.has(next) || wanted.has(next) || !NEEDED.test(byId.get(next)?.type ?? '')) continue;
      found.add(next);
      queue.push(next);
    }
  }
  return found;
}

/** Rights, comments and labels of sections. */
export const companionsOf = (all: readonly Section[], sections: ReadonlySet<number>): ReadonlySet<number> =>
  new Set(
    all.flatMap(({ id, type, dependencies }) =>
      COMPANION.test(type) && dependencies.some((one) => sections.has(one)) ? [id] : [],
    ),
  );
