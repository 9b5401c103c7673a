import type { Context } from '../../../context.ts';
import { targetError } from '../../../errors.ts';
import { excludedNames } from '../../databases/excluded-names.ts';
import { connect, type MysqlConfig, type MysqlTarget } from '../server/connection.ts';
import { isNewName, isOldName, OWN_DATABASES } from '../server/names.ts';

/** A target as one of its databases. */
export function asDatabase(
  { database: _one, databases: _several, excludeDatabases: _others, ...rest }: MysqlConfig,
  database: string,
): MysqlTarget {
  return { ...rest, database };
}

/** The databases that a target captures, sorted where it means all of them. Throws `target` for one that is not there. */
export async function listDatabases(config: MysqlConfig, context: Context): Promise<readonly string[]> {
  const { database, databases = [] } = config;
  if (database !== undefined) return [database];
  const session = await connect(asDatabase(config, ''), context, null);
  try {
    const rows = await session.query<{ readonly name: string }>(
      'SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA ORDER BY SCHEMA_NAME',
    );
    const known = rows.map(({ name }) => name).filter((name) => !OWN_DATABASES.includes(name.toLowerCase()));
    if (databases === 'all') {
      const excluded = excludedNames(config.excludeDatabases ?? [], known);
      return known.filter((name) => !excluded.has(name) && !isOldName(name) && !isNewName(name));
    }
    const missing = databases.filter((name) => !known.includes(name));
    if (missing.length === 0) return databases;
    throw targetError(`cannot capture ${missing.join(', ')}: no such database`, {
      hint: `the server has ${known.join(', ')}`,
    });
  } finally {
    await session.close();
  }
}
