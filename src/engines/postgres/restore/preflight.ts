import { targetError } from '../../../errors.ts';
import type { ArchiveOutline } from '../script/outline.ts';
import type { PostgresTarget, Session } from '../server/connection.ts';
import { quoteIdentifier } from '../server/quote.ts';
import { readRights } from '../server/rights.ts';

interface Lack {
  readonly what: string;
  readonly statement: string;
}

const MOST_NAMED = 10;
const WITHOUT_ROLES = '; or restore without owners and rights of missing roles: `--no-owner`';

/**
 * Throws one error with all that an archive needs and the server lacks, before anything is touched. `makesDatabase`: its
 * owner and the roles of its rights count too. `noOwner`: roles do not count.
 */
export async function assertServerHas(
  session: Session,
  { needs }: Pick<ArchiveOutline, 'needs'>,
  target: PostgresTarget,
  { makesDatabase, noOwner }: { readonly makesDatabase: boolean; readonly noOwner: boolean },
): Promise<void> {
  const named = [...needs.owners, ...(makesDatabase ? needs.database.owners : [])];
  const owners = noOwner ? [] : named;
  const roles = noOwner ? [] : [...owners, ...needs.grantees, ...(makesDatabase ? needs.database.grantees : [])];
  const missingRoles = await missing(session, roles, 'SELECT rolname FROM pg_catalog.pg_roles');
  const ofRoles: readonly Lack[] = [
    ...missingRoles.map((name) => ({ what: `role ${name}`, statement: `CREATE ROLE ${quoteIdentifier(name)}` })),
    ...(await lackingMemberships(session, target, owners)),
  ];
  const lacks: readonly Lack[] = [
    ...ofRoles,
    ...(await missing(session, [...needs.extensions], 'SELECT name FROM pg_catalog.pg_available_extensions')).map(
      (name) => ({ what: `extension ${name}`, statement: `install the package that brings extension ${name}` }),
    ),
    ...(
      await missing(
        session,
        [...needs.tablespaces, ...needs.database.tablespaces],
        'SELECT spcname FROM pg_catalog.pg_tablespace',
      )
    ).map((name) => ({
      what: `tablespace ${name}`,
      statement: `CREATE TABLESPACE ${quoteIdentifier(name)} LOCATION '…'`,
    })),
    ...(await missing(session, [...needs.collations], 'SELECT collname FROM pg_catalog.pg_collation')).map((name) => ({
      what: `collation ${name}`,
      statement: `install the locale, then SELECT pg_import_system_collations('pg_catalog')`,
    })),
  ];
  if (lacks.length === 0) return;
  throw targetError(
    `cannot restore database ${target.database}: the server lacks ${listed(
      lacks.map(({ what }) => what),
      ', ',
    )}`,
    {
      hint: `${listed([...new Set(lacks.map(({ statement }) => statement))], '; ')}${ofRoles.length === 0 ? '' : WITHOUT_ROLES}`,
    },
  );
}

async function missing(session: Session, wanted: readonly string[], known: string): Promise<readonly string[]> {
  const rows = await session.query<{ readonly name: string }>(
    `SELECT name FROM pg_catalog.unnest($1::text[]) AS wanted (name) WHERE name NOT IN (${known})`,
    [[...new Set(wanted)]],
  );
  return rows.map(({ name }) => name);
}

/** Who is no superuser can only give away what it makes to roles that it is a member of. */
async function lackingMemberships(
  session: Session,
  { database }: PostgresTarget,
  owners: readonly string[],
): Promise<readonly Lack[]> {
  const { isSuperuser, user } = await readRights(session, database);
  if (isSuperuser) return [];
  const rows = await session.query<{ readonly name: string }>(
    `SELECT rolname::text AS name FROM pg_catalog.pg_roles
     WHERE rolname = ANY ($1::text[]) AND NOT pg_catalog.pg_has_role(oid, 'MEMBER')`,
    [owners],
  );
  return rows.map(({ name }) => ({
    what: `the membership of ${user} in ${name}`,
    statement: `GRANT ${quoteIdentifier(name)} TO ${quoteIdentifier(user)}`,
  }));
}

function listed(parts: readonly string[], separator: string): string {
  const shown = parts.slice(0, MOST_NAMED).join(separator);
  return parts.length <= MOST_NAMED ? shown : `${shown}${separator}and ${parts.length - MOST_NAMED} more`;
}
