import type { Session } from './connection.ts';
import { quoteIdentifier, quoteText } from './quote.ts';

interface Properties {
  readonly owner: string;
  readonly comment: string | null;
  readonly limit: number;
  readonly template: boolean;
  readonly hasRights: boolean;
}

/** Settings whose value is a list of names, each quoted on its own. */
const LISTS = new Set([
  'local_preload_libraries',
  'search_path',
  'session_preload_libraries',
  'shared_preload_libraries',
  'temp_tablespaces',
  'unix_socket_directories',
]);

/** What makes another database own, look and behave like an existing one: owner, rights, settings, limit, comment. */
export async function readProperties(
  admin: Session,
  database: string,
): Promise<{ readonly owner: string; readonly statements: (quoted: string) => readonly string[] }> {
  const [found] = await admin.query<Properties>(
    `SELECT pg_catalog.pg_get_userbyid(datdba)::text AS owner, pg_catalog.shobj_description(oid, 'pg_database') AS comment,
       datconnlimit AS limit, datistemplate AS template, datacl IS NOT NULL AS "hasRights"
     FROM pg_catalog.pg_database WHERE datname = $1`,
    [database],
  );
  if (found === undefined) throw new Error('a database that vanished');
  const rights = await admin.query<Right>(
    `SELECT CASE grantee WHEN 0 THEN NULL ELSE pg_catalog.pg_get_userbyid(grantee)::text END AS grantee,
       privilege_type AS privilege, is_grantable AS grantable
     FROM pg_catalog.pg_database, pg_catalog.aclexplode(datacl) WHERE datname = $1`,
    [database],
  );
  const settings = await admin.query<Setting>(
    `SELECT CASE setrole WHEN 0 THEN NULL ELSE pg_catalog.pg_get_userbyid(setrole)::text END AS role,
       pg_catalog.split_part(setting, '=', 1) AS name, pg_catalog.substr(setting, pg_catalog.strpos(setting, '=') + 1) AS value
     FROM pg_catalog.pg_db_role_setting, pg_catalog.unnest(setconfig) AS setting
     WHERE setdatabase = (SELECT oid FROM pg_catalog.pg_database WHERE datname = $1)`,
    [database],
  );
  return {
    owner: found.owner,
    statements: (quoted) => [
      ...(found.limit === -1 ? [] : [`ALTER DATABASE ${quoted} CONNECTION LIMIT ${found.limit}`]),
      ...(found.template ? [`ALTER DATABASE ${quoted} IS_TEMPLATE true`] : []),
      ...(found.hasRights ? grants(quoted, found.owner, rights) : []),
      ...settings.map((setting) => alterSetting(quoted, setting)),
      ...(found.comment === null ? [] : [`COMMENT ON DATABASE ${quoted} IS ${quoteText(found.comment)}`]),
    ],
  };
}

interface Right {
  /** Null is everybody. */
  readonly grantee: string | null;
  readonly privilege: string;
  readonly grantable: boolean;
}

function grants(database: string, owner: string, rights: readonly Right[]): readonly string[] {
  const given = rights.map(({ grantee, privilege, grantable }) => {
    const to = grantee === null ? 'PUBLIC' : quoteIdentifier(grantee);
    return `GRANT ${privilege} ON DATABASE ${database} TO ${to}${grantable ? ' WITH GRANT OPTION' : ''}`;
  });
  return [`REVOKE ALL ON DATABASE ${database} FROM PUBLIC, ${quoteIdentifier(owner)}`, ...given];
}

interface Setting {
  /** Null is everybody. */
  readonly role: string | null;
  readonly name: string;
  readonly value: string;
}

function alterSetting(database: string, { role, name, value }: Setting): string {
  const whose = role === null ? `DATABASE ${database}` : `ROLE ${quoteIdentifier(role)} IN DATABASE ${database}`;
  const setting = name.split('.').map(quoteIdentifier).join('.');
  return `ALTER ${whose} SET ${setting} TO ${LISTS.has(name) ? quoteList(value) : quoteText(value)}`;
}

/** `"$user", public` as texts. */
function quoteList(value: string): string {
  const names = [...value.matchAll(/"((?:[^"]|"")*)"|[^",\s]+/g)];
  const texts = names.map(([whole, quoted]) => quoteText(quoted === undefined ? whole : quoted.replaceAll('""', '"')));
  return texts.length === 0 ? "''" : texts.join(', ');
}
