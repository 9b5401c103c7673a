import type { Context } from '../../../context.ts';
import { targetError } from '../../../errors.ts';
import { excludedNames } from '../../databases/excluded-names.ts';
import { connectAdmin } from '../server/admin-session.ts';
import type { PostgresConfig, PostgresTarget } from '../server/connection.ts';
import { isOldName } from '../server/database-names.ts';
import { isBeingBuilt } from '../restore/side-database.ts';

/** A target as one of its databases. */
export function asDatabase(
  { database: _one, databases: _several, excludeDatabases: _others, ...rest }: PostgresConfig,
  database: string,
): PostgresTarget {
  return { ...rest, database };
}

/** The databases that a target captures, sorted where it means all of them. Throws `target` for one that is not there. */
export async function listDatabases(config: PostgresConfig, context: Context): Promise<readonly string[]> {
  const { database, databases = [] } = config;
  if (database !== undefined) return [database];
  const admin = await connectAdmin(asDatabase(config, ''), context);
  try {
    const rows = await admin.query<{ readonly name: string; readonly comment: string | null; readonly all: boolean }>(
      `SELECT datname::text AS name, pg_catalog.shobj_description(oid, 'pg_database') AS comment,
         datallowconn AND NOT datistemplate AS all
       FROM pg_catalog.pg_database ORDER BY datname`,
    );
    const known = rows.map(({ name }) => name);
    if (databases !== 'all') {
      const missing = databases.filter((name) => !known.includes(name));
      if (missing.length === 0) return databases;
      throw targetError(`cannot capture ${missing.join(', ')}: no such database`, {
        hint: `the server has ${known.join(', ')}`,
      });
    }
    const excluded = excludedNames(config.excludeDatabases ?? [], known);
    return rows
      .filter(({ name, comment, all }) => all && !excluded.has(name) && !isOldName(name) && !isBeingBuilt(comment))
      .map(({ name }) => name);
  } finally {
    await admin.close();
  }
}
