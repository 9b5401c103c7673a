import { BkpError, reasonOf } from '../../../errors.ts';
import type { Session } from '../server/connection.ts';
import { codeOf } from '../server/explain-error.ts';
import type { Section } from '../script/sections.ts';

/** Something has the name already; some kinds find that out from the catalog's own index. */
const EXISTS = ['42710', '42P07', '42723', '42P06', '23505'];

/** Makes relations and what they need; what is only needed and there stays as it is. Returns the numbers of what it made. */
export async function createAll(
  session: Session,
  sections: readonly Section[],
  needed: ReadonlySet<number>,
): Promise<ReadonlySet<number>> {
  const made = new Set<number>();
  for (const section of sections) {
    if (await create(session, section, needed.has(section.id))) made.add(section.id);
  }
  return made;
}

/** True where it was made by this. */
async function create(session: Session, { type, sql }: Section, mayBeThere: boolean): Promise<boolean> {
  if (!mayBeThere) {
    await session.query(sql);
    return true;
  }
  await session.query('SAVEPOINT bkp_create');
  try {
    await session.query(sql);
    await session.query('RELEASE SAVEPOINT bkp_create');
    // pg_dump makes extensions only where they are missing, and does not tell.
    return type !== 'EXTENSION';
  } catch (error) {
    if (!(error instanceof BkpError) || !EXISTS.includes(codeOf(error.cause))) throw error;
    await session.query('ROLLBACK TO SAVEPOINT bkp_create');
    return false;
  }
}

/** Says of what was made what the archive says of it: rights, comments. */
export async function createCompanions(
  session: Session,
  companions: readonly Section[],
  made: ReadonlySet<number>,
): Promise<void> {
  for (const { dependencies, sql } of companions) {
    if (dependencies.some((id) => made.has(id))) await session.query(sql);
  }
}

/** Runs what comes last. Publications of others stay as they are; returns a warning for each. */
export async function createLast(session: Session, sections: readonly Section[]): Promise<readonly string[]> {
  const warnings: string[] = [];
  for (const { type, name, sql } of sections) {
    if (type !== 'PUBLICATION TABLE') {
      await session.query(sql);
      continue;
    }
    await session.query('SAVEPOINT bkp_publish');
    try {
      await session.query(sql);
      await session.query('RELEASE SAVEPOINT bkp_publish');
    } catch (error) {
      await session.query('ROLLBACK TO SAVEPOINT bkp_publish');
      warnings.push(`publication and table ${name} were not joined again: ${reasonOf(error)}`);
    }
  }
  return warnings;
}

/** Keys and indexes. Foreign keys are made without a look at the rows, which is taken later; returns what takes it. */
export async function createKeys(
  session: Session,
  sections: readonly Section[],
  needed: ReadonlySet<number>,
): Promise<readonly string[]> {
  const checks: string[] = [];
  for (const section of sections) {
    const { type, sql } = section;
    if (type === 'TABLE ATTACH') await adoptChecks(session, sql);
    const late =
      type === 'FK CONSTRAINT' ? /^ALTER TABLE ONLY (.*)\n\s+ADD CONSTRAINT (.*?) FOREIGN KEY/m.exec(sql) : null;
    if (late === null || /NOT VALID;\s*$/.test(sql)) {
      await create(session, section, needed.has(section.id));
      continue;
    }
    await session.query(sql.replace(/;\s*$/, ' NOT VALID;'));
    checks.push(`ALTER TABLE ${late[1]} VALIDATE CONSTRAINT ${late[2]}`);
  }
  return checks;
}

/** Looks at the rows; a foreign key that rows which were there break stays, holds for new ones, and is told. */
export async function validateIfPossible(session: Session, checks: readonly string[]): Promise<readonly string[]> {
  const warnings: string[] = [];
  for (const check of checks) {
    await session.query('SAVEPOINT bkp_validate');
    try {
      await session.query(check);
      await session.query('RELEASE SAVEPOINT bkp_validate');
    } catch (error) {
      if (!(error instanceof BkpError) || codeOf(error.cause) !== BROKEN) throw error;
      await session.query('ROLLBACK TO SAVEPOINT bkp_validate');
      warnings.push(`a foreign key came back for new rows only: ${reasonOf(error.cause)}; then run ${check}`);
    }
  }
  return warnings;
}

const BROKEN = '23503';
const ATTACH = /^ALTER TABLE ONLY (.*) ATTACH PARTITION (.*) (?:FOR VALUES|DEFAULT)/m;

/** A partition must have the checks of its table; pg_dump leaves it to that table to hand out those that are not valid. */
async function adoptChecks(session: Session, sql: string): Promise<void> {
  const [, parent = '', child = ''] = ATTACH.exec(sql) ?? [];
  const lacking = await session.query<{ readonly name: string; readonly definition: string }>(
    `SELECT pg_catalog.quote_ident(c.conname) AS name, pg_catalog.pg_get_constraintdef(c.oid) AS definition
     FROM pg_catalog.pg_constraint c WHERE c.contype = 'c' AND NOT c.connoinherit AND c.conrelid = $1::pg_catalog.regclass
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint o WHERE o.conrelid = $2::pg_catalog.regclass AND o.conname = c.conname)`,
    [parent, child],
  );
  for (const { name, definition } of lacking) {
    await session.query(`ALTER TABLE ${child} ADD CONSTRAINT ${name} ${definition}`);
  }
}
