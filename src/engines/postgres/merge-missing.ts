import type { Context } from '../../context.ts';
import { BkpError } from '../../errors.ts';
import type { IncomingArtifact } from '../engine.ts';
import type { Session } from './connection.ts';
import { codeOf } from './explain-error.ts';
import { readDefinitions } from './merge-source.ts';
import type { Section } from './sections.ts';
import { type Unowned, withoutOwner } from './unowned.ts';

/** Definitions that bring missing tables back, in the order of the archive. */
export interface MissingDefinitions {
  /** What a table needs to be: schemas, types, functions. Some of it may be there. */
  readonly before: readonly Section[];
  readonly tables: readonly Section[];
  /** Keys and indexes, once the rows are in. */
  readonly keys: readonly Section[];
  /** Triggers, rules, policies, rights, comments. */
  readonly after: readonly Section[];
}

/** A section without its statements, which would fill the memory. */
type Outline = Section;

/** Belong to a table and name it first: `orders orders_pkey`. */
const NAMED_AFTER_TABLE = /^(?:DEFAULT|CONSTRAINT|CHECK CONSTRAINT|FK CONSTRAINT|TRIGGER|RULE|POLICY)$/;
/** Belong to what they depend on. */
const DEPENDENT =
  /^(?:SEQUENCE|SEQUENCE OWNED BY|INDEX|INDEX ATTACH|TABLE ATTACH|STATISTICS|ACL|COMMENT|SECURITY LABEL|ROW SECURITY)$/;
const NEEDED =
  /^(?:SCHEMA|EXTENSION|TYPE|SHELL TYPE|DOMAIN|COLLATION|FUNCTION|PROCEDURE|AGGREGATE|OPERATOR|OPERATOR CLASS|OPERATOR FAMILY|SEQUENCE|SERVER|FOREIGN DATA WRAPPER|TEXT SEARCH .*)$/;
/** In the order in which they go in: a partition with keys of its own hands them to the table that it joins. */
const KEYS = [/^(?:CONSTRAINT|CHECK CONSTRAINT|INDEX)$/, /^TABLE ATTACH$/, /^INDEX ATTACH$/, /^FK CONSTRAINT$/];
const AFTER = /^(?:TRIGGER|RULE|POLICY|ROW SECURITY|STATISTICS|ACL|COMMENT|SECURITY LABEL)$/;

/** Finds what must be made again before rows can go in; `isMissing` tells of a table. */
export async function findMissing(
  artifact: IncomingArtifact,
  program: string,
  context: Context,
  isMissing: (tables: readonly Outline[]) => Promise<ReadonlySet<number>>,
  unowned: Unowned | null,
): Promise<MissingDefinitions> {
  const all: Outline[] = [];
  await readDefinitions(artifact, program, context, (section) => all.push({ ...section, sql: '' }));
  const missing = await isMissing(all.filter(({ type }) => type === 'TABLE'));
  if (missing.size === 0) return { before: [], tables: [], keys: [], after: [] };
  const belonging = belongingTo(all, missing);
  const needed = neededBy(all, belonging);
  const sections: Section[] = [];
  await readDefinitions(artifact, program, context, (section) => {
    if (!belonging.has(section.id) && !needed.has(section.id)) return;
    const kept = withoutOwner(section, unowned);
    if (kept !== null) sections.push(kept);
  });
  const own = sections.filter(({ id }) => belonging.has(id));
  return {
    before: sections.filter(({ id }) => needed.has(id) && !belonging.has(id)),
    tables: own.filter(({ type }) => !KEYS.some((kind) => kind.test(type)) && !AFTER.test(type)),
    keys: KEYS.flatMap((kind) => own.filter(({ type }) => kind.test(type))),
    after: own.filter(({ type }) => AFTER.test(type)),
  };
}

function belongingTo(all: readonly Outline[], tables: ReadonlySet<number>): ReadonlySet<number> {
  const byId = new Map(all.map((entry) => [entry.id, entry]));
  const found = new Set(tables);
  for (let size = 0; size !== found.size;) {
    size = found.size;
    for (const { id, type, name, schema, dependencies } of all) {
      if (found.has(id)) continue;
      const owners = dependencies.flatMap((dependency) => (found.has(dependency) ? [byId.get(dependency)] : []));
      const isNamed = owners.some(
        (owner) => owner !== undefined && owner.schema === schema && name.startsWith(`${owner.name} `),
      );
      if (NAMED_AFTER_TABLE.test(type) ? isNamed : DEPENDENT.test(type) && owners.length > 0) found.add(id);
    }
  }
  return found;
}

function neededBy(all: readonly Outline[], wanted: ReadonlySet<number>): ReadonlySet<number> {
  const byId = new Map(all.map((entry) => [entry.id, entry]));
  const schemas = new Map(all.flatMap(({ id, type, name }) => (type === 'SCHEMA' ? [[name, id] as const] : [])));
  const found = new Set<number>();
  const queue = [...wanted];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    const entry = byId.get(id);
    if (entry === undefined) continue;
    const home = schemas.get(entry.schema);
    for (const next of [...entry.dependencies, ...(home === undefined ? [] : [home])]) {
      if (found.has(next) || wanted.has(next) || !NEEDED.test(byId.get(next)?.type ?? '')) continue;
      found.add(next);
      queue.push(next);
    }
  }
  return found;
}

/** Something has the name already. */
const EXISTS = ['42710', '42P07', '42723', '42P06'];

/** Makes what is not there yet; what is there stays as it is. */
export async function createUnlessThere(session: Session, sections: readonly Section[]): Promise<void> {
  for (const { sql } of sections) {
    await session.query('SAVEPOINT bkp_create');
    try {
      await session.query(sql);
      await session.query('RELEASE SAVEPOINT bkp_create');
    } catch (error) {
      if (!(error instanceof BkpError) || !EXISTS.includes(codeOf(error.cause))) throw error;
      await session.query('ROLLBACK TO SAVEPOINT bkp_create');
    }
  }
}

/** Foreign keys are made without a look at the rows, which is taken later; returns what takes it. */
export async function createKeys(session: Session, sections: readonly Section[]): Promise<readonly string[]> {
  const checks: string[] = [];
  for (const { type, sql } of sections) {
    const late =
      type === 'FK CONSTRAINT' ? /^ALTER TABLE ONLY (.*)\n\s+ADD CONSTRAINT (.*?) FOREIGN KEY/.exec(sql.trim()) : null;
    if (late === null || /NOT VALID;\s*$/.test(sql)) {
      await session.query(sql);
      continue;
    }
    await session.query(sql.replace(/;\s*$/, ' NOT VALID;'));
    checks.push(`ALTER TABLE ${late[1]} VALIDATE CONSTRAINT ${late[2]}`);
  }
  return checks;
}
