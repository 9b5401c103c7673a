import type { Problem } from '../../engine.ts';
import type { PostgresTarget, Session } from '../server/connection.ts';
import { named, namedRelations, relationsWhere } from '../server/named-relations.ts';
import { quoteIdentifier } from '../server/quote.ts';
import type { Selection } from './selection.ts';

/** Something that does not keep a dump from being made, but that people must know. */
export interface Finding extends Problem {
  /** It means that something of the database is not in the backup. */
  readonly isMissing: boolean;
}

/** Looks for what a dump leaves out without a word, what may stop it, and what a restore leaves out. */
export async function captureFindings(
  session: Session,
  { format }: Pick<PostgresTarget, 'format'>,
  selection: Selection | null,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const find of [foreignTables, userMappings, subscriptions, unlogged, indexes, standby, prepared, labels])
    findings.push(...(await find(session, selection?.leftOut ?? [])));
  return format === 'plain' ? [...findings, ...(await databaseItself(session))] : findings;
}

/** What stands in the manifest: sentences that tell what is not in the backup. */
export const missingFromBackup = (findings: readonly Finding[]): readonly string[] =>
  findings.filter(({ isMissing }) => isMissing).map(({ message }) => message);

type Find = (session: Session, leftOut: readonly number[]) => Promise<readonly Finding[]>;

const finding = (found: string, message: string, hint: string, isMissing = false): readonly Finding[] =>
  found === '' ? [] : [{ message, hint, isMissing }];

const foreignTables: Find = async (session, leftOut) => {
  const found = namedRelations(await relationsWhere(session, leftOut, `c.relkind = 'f'`));
  const message = `rows of foreign tables stay on their own server: ${found}`;
  return finding(found, message, 'capture that server too', true);
};

/** A script for any database says nothing of the one that it came from. */
async function databaseItself(session: Session): Promise<readonly Finding[]> {
  const rows = await session.query(
    `SELECT FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()
       AND (datacl IS NOT NULL OR datconnlimit <> -1 OR pg_catalog.shobj_description(oid, 'pg_database') IS NOT NULL
         OR EXISTS (SELECT FROM pg_catalog.pg_db_role_setting WHERE setdatabase = oid))`,
  );
  const message = 'settings, rights, limit and comment of the database itself are not in a plain dump';
  return finding(rows.length === 0 ? '' : 'some', message, 'use another `format`', true);
}

/** pg_dump takes options that it may not see for none. */
const userMappings: Find = async (session) => {
  const rows = await session.query<{ readonly name: string }>(
    `SELECT m.usename || ' on ' || m.srvname AS name
     FROM pg_catalog.pg_user_mappings m JOIN pg_catalog.pg_foreign_server s ON s.oid = m.srvid
     WHERE m.umoptions IS NULL AND NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)
       AND NOT CASE WHEN m.umuser = 0 THEN pg_catalog.pg_has_role(s.srvowner, 'USAGE')
         ELSE m.usename = current_user AND pg_catalog.has_server_privilege(s.oid, 'USAGE') END
     ORDER BY 1`,
  );
  const found = named(rows.map(({ name }) => name));
  const message = `the options of user mappings, and the passwords among them, may not be read: ${found}`;
  return finding(found, message, 'connect as a superuser, or give the passwords again after a restore', true);
};

const subscriptions: Find = async (session) => {
  const rows = await session.query<{ readonly name: string }>(
    `SELECT subname::text AS name FROM pg_catalog.pg_subscription
     WHERE subdbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()) ORDER BY 1`,
  );
  const found = named(rows.map(({ name }) => quoteIdentifier(name)));
  const message = `subscriptions are left out at a restore: ${found}`;
  return finding(found, message, 'make them again when the publisher is to send its changes there');
};

const unlogged: Find = async (session, leftOut) => {
  const found = namedRelations(
    await relationsWhere(
      session,
      leftOut,
      `c.relkind IN ('r', 'm') AND c.relpersistence = 'u' AND NOT pg_catalog.pg_is_in_recovery()`,
    ),
  );
  const message = `unlogged tables are captured, but empty after a crash of the server: ${found}`;
  return finding(found, message, 'ALTER TABLE … SET LOGGED keeps their rows');
};

const indexes: Find = async (session, leftOut) => {
  const found = namedRelations(
    await relationsWhere(
      session,
      leftOut,
      `c.relkind = 'i' AND c.relpersistence <> 't' AND n.nspname !~ '^pg_'
        AND EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indexrelid = c.oid AND NOT i.indisvalid)`,
    ),
  );
  const message = `indexes that are not valid are not dumped: ${found}`;
  return finding(found, message, 'REINDEX or drop what an interrupted CREATE INDEX CONCURRENTLY left', true);
};

const standby: Find = async (session) => {
  const [row] = await session.query<{ readonly standby: boolean; readonly feedback: boolean }>(
    `SELECT pg_catalog.pg_is_in_recovery() AS standby, current_setting('hot_standby_feedback') = 'on' AS feedback`,
  );
  if (row?.standby !== true) return [];
  const message = 'the server is a standby: it has what its primary has sent so far';
  const hint = row.feedback
    ? undefined
    : 'hot_standby_feedback is off: a long dump may be ended by what the primary removes; turn it on, or raise max_standby_streaming_delay';
  return [{ message, hint, isMissing: false }];
};

const prepared: Find = async (session) => {
  const rows = await session.query<{ readonly name: string }>(
    `SELECT DISTINCT pg_catalog.quote_literal(p.gid) AS name
     FROM pg_catalog.pg_prepared_xacts p
     JOIN pg_catalog.pg_locks x ON x.locktype = 'transactionid' AND x.transactionid = p.transaction AND x.pid IS NULL
     JOIN pg_catalog.pg_locks l ON l.virtualtransaction = x.virtualtransaction AND l.locktype = 'relation'
     WHERE p.database = pg_catalog.current_database() AND l.mode = 'AccessExclusiveLock' ORDER BY 1`,
  );
  const found = named(rows.map(({ name }) => name));
  const message = `prepared transactions hold locks that a dump waits for: ${found}`;
  return finding(found, message, 'COMMIT PREPARED or ROLLBACK PREPARED what nobody finishes');
};

const labels: Find = async (session) => {
  const rows = await session.query<{ readonly name: string }>(
    'SELECT DISTINCT provider AS name FROM pg_catalog.pg_seclabel ORDER BY 1',
  );
  const found = named(rows.map(({ name }) => name));
  const message = `security labels can only be restored where their provider is loaded: ${found}`;
  return finding(found, message, 'set shared_preload_libraries on the server that is restored to');
};
