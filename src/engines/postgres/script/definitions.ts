import type { Context } from '../../../context.ts';
import type { IncomingArtifact } from '../../engine.ts';
import { type Choice, isRelation, keyOf } from './chosen-paths.ts';
import { AFTER_ROWS } from './clean-script.ts';
import { belongingTo, companionsOf, neededBy } from './definition-graph.ts';
import { storedFormat } from '../archive/dump-formats.ts';
import { judgeForeignKeys } from './foreign-key-sides.ts';
import { readDefinitions } from './read-data.ts';
import type { Section } from './sections.ts';
import { bareStatements, openSettings } from './section-statement.ts';
import { openTextualDependencies } from './textual-dependencies.ts';
import { type Unowned, withoutOwner } from './unowned.ts';

/** Definitions that bring relations back, in the order in which they go in. */
export interface Definitions {
  /** Relations, and what they need to be: schemas, types, functions. */
  readonly before: readonly Section[];
  /** Keys and indexes, once the rows are in. */
  readonly keys: readonly Section[];
  /** Triggers, rules, policies, rights, comments, contents of materialized views. */
  readonly after: readonly Section[];
  /** Numbers of what is only needed: some of it may be there, and stays as it is. */
  readonly needed: ReadonlySet<number>;
  /** Rights and comments of what is needed, for what was not there. */
  readonly companions: readonly Section[];
  readonly warnings: readonly string[];
  /** Views of relations that are neither there nor made, which are left out. */
  readonly lacking: readonly Lacking[];
  /** Numbers of what is left out because of its roles, in whole or in part. */
  readonly leftOut: ReadonlySet<number>;
}

export interface Lacking {
  readonly key: string;
  readonly needs: string;
}

/**
 * Once the rows are in, in this order: a partition with keys of its own hands them to the table that it joins, and gets that
 * table's checks.
 */
const KEYS = [/^(?:CONSTRAINT|INDEX)$/, /^TABLE ATTACH$/, /^INDEX ATTACH$/, /^CHECK CONSTRAINT$/, /^FK CONSTRAINT$/];
const AFTER =
  /^(?:TRIGGER|RULE|POLICY|ROW SECURITY|STATISTICS|ACL|COMMENT|SECURITY LABEL|MATERIALIZED VIEW DATA|PUBLICATION TABLE)$/;
const isKey = ({ type }: Section): boolean => KEYS.some((kind) => kind.test(type));

/** All definitions without their statements, which would fill the memory; foreign keys keep theirs. */
export async function readOutlines(
  artifact: IncomingArtifact,
  program: string,
  context: Context,
): Promise<readonly Section[]> {
  if (storedFormat(artifact).word === 'plain') {
    const script = openTextualDependencies();
    await readDefinitions(artifact, program, context, (section) => script.add(section));
    return script.end();
  }
  const all: Section[] = [];
  await readDefinitions(artifact, program, context, (section) =>
    all.push(section.type === 'FK CONSTRAINT' ? section : { ...section, sql: '' }),
  );
  return all;
}

const NOTHING: Definitions = {
  before: [],
  keys: [],
  after: [],
  needed: new Set(),
  companions: [],
  warnings: [],
  lacking: [],
  leftOut: new Set(),
};

export interface DefinitionSource {
  readonly artifact: IncomingArtifact;
  /** Path of pg_restore. */
  readonly program: string;
  /** Null where owners come back too. */
  readonly unowned: Unowned | null;
}

/**
 * Collects what makes relations that are missing, with all that belongs to them and all that they need. `isThere` tells of
 * a relation or an index by its key.
 */
export async function collectDefinitions(
  { artifact, program, unowned }: DefinitionSource,
  all: readonly Section[],
  { relations, others }: Choice,
  isThere: (key: string) => boolean,
  context: Context,
): Promise<Definitions> {
  if (relations.size === 0 && others.size === 0) return NOTHING;
  const { made, lacking } = withParents(all, relations, isThere);
  const { wanted, warnings } = judgeForeignKeys(all, belongingTo(all, made), isThere);
  const needed = new Set(
    [...neededBy(all, new Set([...wanted, ...others])), ...others].filter((id) => !wanted.has(id)),
  );
  const companions = companionsOf(all, needed);
  const [before, keys, after, said]: [Section[], Section[], Section[], Section[]] = [[], [], [], []];
  const leftOut = new Set<number>();
  let areRowsIn = false;
  const withSettings = openSettings();
  await readDefinitions(artifact, program, context, (section) => {
    areRowsIn ||= AFTER_ROWS.test(section.type);
    const sql = withSettings(bareStatements(section.sql));
    const isMade = wanted.has(section.id) || needed.has(section.id);
    if (!isMade && !companions.has(section.id)) return;
    const kept = withoutOwner({ ...section, sql }, unowned);
    if (unowned?.leftOut.has(section.id) === true) leftOut.add(section.id);
    if (kept === null) return;
    if (!isMade) said.push(kept);
    else if (isKey(kept)) keys.push(kept);
    else if (AFTER.test(kept.type)) after.push(kept);
    else (areRowsIn ? keys : before).push(kept);
  });
  const rankOf = ({ type }: Section): number =>
    Math.max(
      KEYS.findIndex((kind) => kind.test(type)),
      0,
    );
  return {
    before,
    keys: keys.toSorted((a, b) => rankOf(a) - rankOf(b)),
    after,
    needed,
    companions: said,
    warnings,
    lacking,
    leftOut,
  };
}

/** A partition and a table that inherits need their parent, if only as a definition; a view needs what it shows. */
function withParents(
  all: readonly Section[],
  relations: ReadonlySet<number>,
  isThere: (key: string) => boolean,
): { readonly made: ReadonlySet<number>; readonly lacking: readonly Lacking[] } {
  const byId = new Map(all.map((section) => [section.id, section]));
  const made = new Set(relations);
  const lacking: Lacking[] = [];
  for (let size = -1; size !== made.size;) {
    size = made.size;
    for (const id of made) {
      const section = byId.get(id);
      if (section === undefined || section.type === 'SEQUENCE') continue;
      for (const other of section.dependencies.flatMap((dependency) => byId.get(dependency) ?? [])) {
        if (!isRelation(other) || made.has(other.id) || isThere(keyOf(other))) continue;
        if (section.type === 'TABLE') made.add(other.id);
        else if (made.delete(id)) lacking.push({ key: keyOf(section), needs: keyOf(other) });
      }
    }
  }
  return { made, lacking };
}
