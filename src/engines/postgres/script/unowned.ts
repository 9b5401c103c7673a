import type { Context } from '../../../context.ts';
import type { IncomingArtifact } from '../../engine.ts';
import { readHead } from './head.ts';
import { keepRights, missingReason, openRightsJudge, type ServerRoles } from './judge-rights.ts';
import { rolesIn } from './needs.ts';
import type { Session } from '../server/connection.ts';
import { readDefinitions } from './read-data.ts';
import { readRights } from '../server/rights.ts';
import { bareStatements } from './section-statement.ts';
import { openSectionParser, type Section } from './sections.ts';
import { readList, writeList } from './use-list.ts';

/** A restore without owners: what of the archive it leaves out besides. */
export interface Unowned {
  /** Entries of the table of contents, by number, that do not come back as they are. */
  readonly leftOut: ReadonlyMap<number, LeftOut>;
  /** Roles that are missing on the server. */
  readonly missingRoles: ReadonlySet<string>;
  /** What is left out of the database itself. */
  readonly ofDatabase: readonly LeftOut[];
  readonly server: ServerRoles;
}

interface LeftOut {
  readonly label: string;
  readonly reasons: readonly string[];
  /** The statements of the entry that come back nevertheless; null where none does. */
  readonly rest: string | null;
}

/** What names roles that may be missing. */
const NAMES_ROLES = /^(?:ACL|DEFAULT ACL|POLICY|USER MAPPING)$/;
const GIVES_RIGHTS = /^(?:ACL|DEFAULT ACL)$/;
const OBJECT_RIGHTS = /^(\d+); \d+ \d+ ACL - LARGE OBJECTS? /;
const MOST_NAMED = 20;

type RoleUser = Pick<Section, 'id' | 'type' | 'schema' | 'name' | 'sql'>;

/** The database, and roles that are granted something on it, where that would be restored too. */
export interface DatabaseRoles {
  readonly name: string;
  readonly grantees: readonly string[];
}

/** Finds the entries of an archive that cannot be restored because they name roles that the server has not. */
export async function findUnowned(
  session: Session,
  artifact: IncomingArtifact,
  program: string,
  context: Context,
  database: DatabaseRoles,
): Promise<Unowned> {
  const users: RoleUser[] = [];
  const keep = (section: Section): void => {
    if (NAMES_ROLES.test(section.type)) users.push(section);
  };
  await readDefinitions(artifact, program, context, keep);
  await readObjectRights(artifact, program, context, keep);
  const { isSuperuser, user } = await readRights(session, database.name);
  const roles = await readRoles(session);
  const missingRoles = new Set(database.grantees.filter((role) => !roles.has(role)));
  const ofDatabase = [...missingRoles].map((role) => ({
    reasons: [missingReason(role)],
    label: 'its rights and settings in the database',
    rest: null,
  }));
  const leftOut = new Map<number, LeftOut>();
  const server = { roles, isSuperuser, user };
  const judge = openRightsJudge(server);
  for (const section of users) {
    const missing = rolesIn(section).filter((role) => !roles.has(role));
    for (const role of missing) missingRoles.add(role);
    const { sql, reasons } = GIVES_RIGHTS.test(section.type)
      ? keepRights({ ...section, sql: bareStatements(section.sql) }, judge)
      : { sql: null, reasons: new Set(missing.slice(0, 1).map(missingReason)) };
    if (reasons.size > 0) leftOut.set(section.id, { reasons: [...reasons], label: labelOf(section), rest: sql });
  }
  return { leftOut, missingRoles, ofDatabase, server };
}

/** What was left out, by reason; all of it, or what was wanted. */
export function leftOutWarnings(
  unowned: Unowned | null,
  isWanted: (id: number, label: string) => boolean = () => true,
): readonly string[] {
  const reasons = new Map<string, string[]>();
  const wanted = [...(unowned?.leftOut ?? [])].filter(([id, { label }]) => isWanted(id, label));
  for (const one of [...(unowned?.ofDatabase ?? []), ...wanted.map(([, leftOut]) => leftOut)]) {
    const label = one.rest === null ? one.label : `a part of ${one.label}`;
    for (const reason of one.reasons) reasons.set(reason, [...(reasons.get(reason) ?? []), label]);
  }
  return [...reasons].map(([reason, labels]) => `${reason}: left out ${listed(labels)}`);
}

/** Role names, and whether the user may act as them. */
async function readRoles(session: Session): Promise<ReadonlyMap<string, boolean>> {
  const rows = await session.query<{ readonly name: string; readonly member: boolean }>(
    `SELECT rolname::text AS name, pg_catalog.pg_has_role(oid, 'MEMBER') AS member FROM pg_catalog.pg_roles`,
  );
  return new Map(rows.map(({ name, member }) => [name, member]));
}

/** `ACL TABLE customers in schema app`. */
const labelOf = ({ type, schema, name }: RoleUser): string =>
  `${type} ${name}${schema === '' ? '' : ` in schema ${schema}`}`;

const listed = (labels: readonly string[]): string =>
  labels.length <= MOST_NAMED
    ? labels.join(', ')
    : `${labels.slice(0, MOST_NAMED).join(', ')} and ${labels.length - MOST_NAMED} more`;

/** Rights on large objects count as data: definitions are read without them. */
async function readObjectRights(
  artifact: IncomingArtifact,
  program: string,
  context: Context,
  onSection: (section: Section) => void,
): Promise<void> {
  const wanted = (await readList(artifact, program, context)).filter((line) => OBJECT_RIGHTS.test(line));
  if (wanted.length === 0) return;
  const list = await writeList(wanted, context);
  try {
    const parser = openSectionParser(onSection);
    const process = { argv: [program, '--verbose', `--use-list=${list.path}`, '--file=-'] } as const;
    await readHead(artifact, process, context, (line) => parser.push(line));
    parser.end();
  } finally {
    await list.remove();
  }
}

/** The last statement of a section that gives the object away; settings for the next one may follow. */
const GIVES_AWAY = /(?:^|\n)ALTER [A-Z ]+ [^\n]* OWNER TO [^\n]+;(?=(?:\s*\nSET [^\n]*;)*\s*$)/;

/** The bare statements of a section as a restore runs them; null where it is left out. */
export function withoutOwner(section: Section, unowned: Unowned | null): Section | null {
  const sql = bareStatements(section.sql);
  if (unowned === null) return { ...section, sql };
  const leftOut = unowned.leftOut.get(section.id);
  if (leftOut !== undefined) return leftOut.rest === null ? null : { ...section, sql: leftOut.rest };
  return { ...section, sql: sql.replace(GIVES_AWAY, '') };
}

/** Statements on the database itself, line by line, without those that name missing roles. */
export const withoutRoles = (statements: readonly string[], { missingRoles }: Unowned): readonly string[] =>
  statements
    .map((sql) => (/^\s*COMMENT ON/.test(sql) ? sql : withoutLines(sql, missingRoles)))
    .filter((sql) => sql.trim() !== '');

const withoutLines = (sql: string, missing: ReadonlySet<string>): string =>
  sql
    .split('\n')
    .filter((line) => !DATABASE_ROLES.some((type) => rolesIn({ type, sql: line }).some((role) => missing.has(role))))
    .join('\n');

const DATABASE_ROLES = ['ACL', 'DATABASE PROPERTIES'] as const;
