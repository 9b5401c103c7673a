import type { Context } from '../../../context.ts';
import { formatBytes } from '../../../format-bytes.ts';
import { asProblem } from '../../as-problem.ts';
import type { Arrival, DestinationState, Problem } from '../../engine.ts';
import { connectAdmin, connectPatiently } from '../server/admin-session.ts';
import type { PostgresTarget, Session } from '../server/connection.ts';
import { wantedFormat } from '../archive/dump-formats.ts';
import { lackingSilence } from '../merge/quiet.ts';
import { type DatabaseContents, readContents } from '../server/database-contents.ts';
import { databaseExists } from '../server/database-names.ts';
import { maySetAside, readRights, type Rights } from '../server/rights.ts';
import { readServer } from '../server/server.ts';

/** Looks at a database that a restore would make or change. A server that cannot be asked is a problem, not an error. */
export async function inspectPostgresDestination(
  target: PostgresTarget,
  context: Context,
  coming?: Arrival,
): Promise<DestinationState> {
  let admin: Session | undefined;
  try {
    admin = await connectAdmin(target, context);
    const contents = await contentsOf(admin, target, context);
    const rights = await readRights(admin, target.database);
    const problems = await problemsAt(admin, target, contents, rights, coming);
    if (contents === null) return { state: 'absent', description: 'no such database', problems };
    if (contents.objects === 0) return { state: 'empty', description: 'empty database', problems };
    const description = `database with ${describeContents(contents)}`;
    const replacedInPlace = !maySetAside(rights);
    return { state: 'occupied', description, problems, ...(replacedInPlace ? { replacedInPlace } : {}) };
  } catch (error) {
    const problem = asProblem(error);
    return { state: 'absent', description: 'cannot be looked at', problems: [problem] };
  } finally {
    await admin?.close();
  }
}

/** What the destination holds; null where there is no such database. */
export async function contentsOf(
  admin: Session,
  target: PostgresTarget,
  context: Context,
): Promise<DatabaseContents | null> {
  if (!(await databaseExists(admin, target.database))) return null;
  const session = await connectPatiently(target, context, target.database);
  try {
    return await readContents(session);
  } finally {
    await session.close();
  }
}

/** `118 tables, 412 MiB`. */
export function describeContents({ tables, objects, bytes }: DatabaseContents): string {
  if (tables === 0) return `${objects} ${objects === 1 ? 'object' : 'objects'} and no table`;
  return `${tables.toLocaleString('en')} ${tables === 1 ? 'table' : 'tables'}, ${formatBytes(bytes)}`;
}

async function problemsAt(
  admin: Session,
  target: PostgresTarget,
  contents: DatabaseContents | null,
  rights: Rights,
  coming: Arrival | undefined,
): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  if ((await readServer(admin)).inRecovery) problems.push(IN_RECOVERY);
  if (contents === null && !rights.mayCreate) problems.push(mayNotCreate(rights.user));
  if (contents === null || contents.objects === 0 || coming === undefined) return problems;
  if (coming.mode === 'merge') problems.push(...(await lackingSilence(admin, target)));
  const isWhole = coming.mode === 'replace' && coming.paths.length === 0;
  if (isWhole && !maySetAside(rights) && coming.artifacts.some(({ format }) => format === wantedFormat(PLAIN).format))
    problems.push(noScriptInPlace(rights.user));
  return problems;
}

const PLAIN = { format: 'plain' } as const;

/** A script has no statements that drop what is there before it is made again. */
export const noScriptInPlace = (user: string): Problem => ({
  message: `a dump as plain cannot take the place of what is there, and user ${user} may not set the database aside`,
  hint: 'make the user its owner with CREATEDB, or restore into another database, absent or empty, with --into',
});

/** A standby takes no writes. */
export const IN_RECOVERY: Problem = {
  message: 'the server is a standby and takes no writes',
  hint: 'restore into its primary',
};

/** The right that a new database and a swap need. */
export const mayNotCreate = (user: string): Problem => ({
  message: `user ${user} may not create databases`,
  hint: `let it by \`ALTER ROLE ${user} CREATEDB\`, or make an empty database for it`,
});
