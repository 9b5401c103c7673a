import type { Context } from '../../../context.ts';
import { BkpError, reasonOf } from '../../../errors.ts';
import type { IncomingArtifact, RestoreOutcome } from '../../engine.ts';
import { connectAdmin, steady } from '../server/admin-session.ts';
import type { PostgresTarget, Session } from '../server/connection.ts';
import { readGlobals } from './globals.ts';

/**
 * Makes the roles and memberships that the server lacks. What is there is left as it is; what cannot be made is told, and
 * so are tablespaces, whose folders only people can make.
 */
export async function restoreGlobals(
  artifact: IncomingArtifact,
  target: PostgresTarget,
  context: Context,
): Promise<Pick<RestoreOutcome, 'restored' | 'warnings'>> {
  const globals = await readGlobals(artifact);
  const admin = await connectAdmin(target, steady(context));
  try {
    const warnings: string[] = [];
    await admin.query('BEGIN');
    const roles = await names(admin, 'SELECT rolname::text AS name FROM pg_catalog.pg_roles');
    let made = 0;
    for (const [role, statements] of globals.roles) {
      if (roles.has(role)) continue;
      const problem = await runAll(admin, statements);
      if (problem === null) made += 1;
      else warnings.push(`role ${role} was not made: ${problem}`);
    }
    const members = await memberships(admin);
    let granted = 0;
    for (const { role, member, statement } of globals.memberships) {
      if (members.has(JSON.stringify([role, member]))) continue;
      const problem = await runAll(admin, [statement]);
      if (problem === null) granted += 1;
      else warnings.push(`${member} was not made a member of ${role}: ${problem}`);
    }
    const tablespaces = await names(admin, 'SELECT spcname::text AS name FROM pg_catalog.pg_tablespace');
    for (const [tablespace, [create = '']] of globals.tablespaces)
      if (!tablespaces.has(tablespace))
        warnings.push(`tablespace ${tablespace} is missing: make its folder, then ${create}`);
    for (const statement of globals.others) {
      const problem = await runAll(admin, [statement]);
      if (problem !== null) warnings.push(`not done: ${statement}: ${problem}`);
    }
    await admin.query('COMMIT');
    const restored = { ...(made === 0 ? {} : { roles: made }), ...(granted === 0 ? {} : { memberships: granted }) };
    return { restored, warnings };
  } finally {
    await admin.close();
  }
}

async function names(session: Session, sql: string): Promise<ReadonlySet<string>> {
  return new Set((await session.query<{ readonly name: string }>(sql)).map(({ name }) => name));
}

async function memberships(session: Session): Promise<ReadonlySet<string>> {
  const rows = await session.query<{ readonly role: string; readonly member: string }>(
    `SELECT r.rolname::text AS role, m.rolname::text AS member FROM pg_catalog.pg_auth_members a
     JOIN pg_catalog.pg_roles r ON r.oid = a.roleid JOIN pg_catalog.pg_roles m ON m.oid = a.member`,
  );
  return new Set(rows.map(({ role, member }) => JSON.stringify([role, member])));
}

/** All of them or none; gives the reason where the server refuses one. */
async function runAll(session: Session, statements: readonly string[]): Promise<string | null> {
  await session.query('SAVEPOINT bkp_globals');
  try {
    for (const statement of statements) await session.query(statement);
    return null;
  } catch (error) {
    if (!(error instanceof BkpError) || error.code !== 'target') throw error;
    await session.query('ROLLBACK TO SAVEPOINT bkp_globals');
    return reasonOf(error.cause ?? error);
  }
}
