import { notFoundError, usageError } from '../../../errors.ts';
import type { Section } from './sections.ts';
import { tableKey } from '../server/table-key.ts';
import { unquoteIdentifier } from '../server/quote.ts';

/** What of an archive was asked for. */
export interface Choice {
  /** Numbers of tables, views and sequences. */
  readonly relations: ReadonlySet<number>;
  /** The same of everything else in chosen schemas, which is made where it is missing. */
  readonly others: ReadonlySet<number>;
}

/** What of an archive comes back, and all that it defines. */
export interface ChosenPaths {
  readonly all: readonly Section[];
  readonly choice: Choice;
}

/** What has a place among the tables of its schema. */
export const isRelation = ({ type }: Pick<Section, 'type'>): boolean => RELATION.test(type);

const RELATION = /^(?:TABLE|VIEW|MATERIALIZED VIEW|SEQUENCE|FOREIGN TABLE)$/;
/** They come with what they belong to. */
const PART =
  /^(?:DEFAULT|CONSTRAINT|CHECK CONSTRAINT|FK CONSTRAINT|TRIGGER|RULE|POLICY|ROW SECURITY|SEQUENCE OWNED BY|INDEX|INDEX ATTACH|TABLE ATTACH|STATISTICS|ACL|DEFAULT ACL|COMMENT|SECURITY LABEL|PUBLICATION.*|SUBSCRIPTION.*|.* DATA|SEQUENCE SET)$/;

const PATH = /^("(?:[^"]|"")+"|[^".]+)(?:\.("(?:[^"]|"")+"|[^".]+))?$/;

/** Finds what paths mean: `schema` or `schema.table`. Throws `not-found`, with names that are near, for one that means nothing. */
export function choosePaths(all: readonly Section[], paths: readonly string[]): Choice {
  const relations = new Set<number>();
  const others = new Set<number>();
  for (const path of paths) {
    const [, schema = '', name] = PATH.exec(path) ?? [];
    if (schema === '')
      throw usageError(`cannot restore path ${path}: it is neither a schema nor a table`, {
        hint: `write it like app or app.events, and "App"."Events" where it is more than lower case`,
      });
    const found = all.filter((section) =>
      isMeant(section, unquoteIdentifier(schema), name === undefined ? null : unquoteIdentifier(name)),
    );
    if (found.length === 0) throw unknownPath(all, path);
    for (const section of found) (isRelation(section) ? relations : others).add(section.id);
  }
  return { relations: withPartitions(all, relations), others };
}

function isMeant(section: Section, schema: string, name: string | null): boolean {
  if (name !== null) return isRelation(section) && section.schema === schema && section.name === name;
  return section.type === 'SCHEMA' ? section.name === schema : section.schema === schema && !PART.test(section.type);
}

/** Rows of a partitioned table are those of its partitions. */
function withPartitions(all: readonly Section[], relations: ReadonlySet<number>): ReadonlySet<number> {
  const tables = new Map(all.flatMap((section) => (section.type === 'TABLE' ? [[keyOf(section), section.id]] : [])));
  const attached = all.filter(({ type }) => type === 'TABLE ATTACH');
  const found = new Set(relations);
  for (let size = 0; size !== found.size;) {
    size = found.size;
    for (const attach of attached) {
      const child = tables.get(keyOf(attach));
      if (child !== undefined && attach.dependencies.some((id) => id !== child && found.has(id))) found.add(child);
    }
  }
  return found;
}

/** How a relation is called. */
export const keyOf = ({ schema, name }: Pick<Section, 'schema' | 'name'>): string => tableKey(schema, name);

const schemaKey = (schema: string): string => tableKey(schema, 'x').slice(0, -2);

const MOST_NAMED = 5;

function unknownPath(all: readonly Section[], path: string): Error {
  const known = [
    ...new Set(all.flatMap((section) => (isRelation(section) ? [keyOf(section), schemaKey(section.schema)] : []))),
  ];
  const wanted = lettersOf(path);
  const last = lettersOf(path.split('.').at(-1) ?? '');
  const near = known.filter((name) => {
    const letters = lettersOf(name);
    return (
      letters.includes(last) ||
      wanted.includes(lettersOf(name.split('.').at(-1) ?? '')) ||
      letters.startsWith(wanted.slice(0, -1))
    );
  });
  const shown = (near.length === 0 ? known : near).slice(0, MOST_NAMED).join(', ');
  return notFoundError(`cannot restore path ${path}: the snapshot does not have it`, {
    hint: `${near.length === 0 ? 'it has' : 'near it are'} ${shown}`,
  });
}

const lettersOf = (name: string): string => name.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');
