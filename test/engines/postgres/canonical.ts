import type { Connection } from '../../services/connection.ts';
import { psql } from '../../services/postgres-psql.ts';
import { DATA_QUERIES } from './canonical-data.ts';
import { OBJECT_QUERIES } from './canonical-objects.ts';
import { RELATION_QUERIES } from './canonical-relations.ts';

/** Everything that the output of the queries depends on. */
const PINNED = `
SET search_path = ''; SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres';
SET extra_float_digits = 1; SET bytea_output = 'hex'; SET row_security = off; SET xmlbinary = base64;
`;

/** Schemas of the database that are its own. */
const HELPERS = `
CREATE FUNCTION pg_temp.is_own(schema oid) RETURNS boolean LANGUAGE sql AS $$
  SELECT nspname !~ '^pg_' AND nspname <> 'information_schema' FROM pg_catalog.pg_namespace WHERE oid = schema $$;
CREATE FUNCTION pg_temp.of_extension(class regclass, object oid) RETURNS boolean LANGUAGE sql AS $$
  SELECT EXISTS (SELECT FROM pg_catalog.pg_depend WHERE classid = class AND objid = object AND deptype = 'e') $$;
-- Rights as everybody has them who was granted none; newer servers know one right more.
CREATE FUNCTION pg_temp.rights(acl aclitem[], kind "char", owner oid) RETURNS text LANGUAGE sql AS $$
  SELECT coalesce(string_agg(r, ', ' ORDER BY r COLLATE "C"), 'none') FROM (
    SELECT format('%s may %s%s by %s', CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END, privilege_type,
      CASE WHEN is_grantable THEN '*' ELSE '' END, grantor::regrole) AS r
    FROM pg_catalog.aclexplode(coalesce(acl, pg_catalog.acldefault(kind, owner))) WHERE privilege_type <> 'MAINTAIN') x $$;
-- Since 16 names of columns stand without their table where there is only one.
CREATE FUNCTION pg_temp.bare(definition text) RETURNS text LANGUAGE sql AS $$
  SELECT regexp_replace(definition, '("[^"]*"|[a-z_]\\w*)\\.', '', 'g') $$;
-- What a query gives that is made for one object.
CREATE FUNCTION pg_temp.ask(query text) RETURNS text LANGUAGE plpgsql AS $$
  DECLARE answer text; BEGIN EXECUTE query INTO answer; RETURN answer; END $$;
`;

/**
 * What a database holds, as one text that is equal for equal databases on servers of any version: made of what the
 * catalogs say, and of nothing that a dump program prints.
 */
export function describeCanonically(connection: Connection, database: string): string {
  const queries = { ...OBJECT_QUERIES, ...RELATION_QUERIES, ...DATA_QUERIES };
  const script = Object.entries(queries).map(
    ([kind, sql]) => `\\echo '== ${kind}'\nSELECT line FROM (${sql}) q (line) ORDER BY line COLLATE "C";`,
  );
  return psql(connection, database, [PINNED, HELPERS, ...script].join('\n'));
}
