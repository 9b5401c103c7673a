import { tableKey } from '../server/table-key.ts';
import type { Session } from '../server/connection.ts';
import type { Section } from '../script/sections.ts';

const MOST_NAMED = 10;

/**
 * Tells of functions, types and other objects, relations and their parts aside, that an archive has and the database
 * lacks, in one sentence; none where it has them all.
 */
export async function tellGoneObjects(session: Session, all: readonly Section[]): Promise<readonly string[]> {
  const known = all.filter(({ type }) => KIND_OF.has(type));
  if (known.length === 0) return [];
  const there = await readObjects(session);
  const gone = known
    .filter(({ type, schema, name }) => !there.has(objectKey(KIND_OF.get(type) ?? '', schema, name)))
    .map(labelOf);
  if (gone.length === 0) return [];
  const more = gone.length > MOST_NAMED ? ` and ${gone.length - MOST_NAMED} more` : '';
  return [`not brought back, a merge adds rows and missing tables: ${gone.slice(0, MOST_NAMED).join(', ')}${more}`];
}

/** Names with arguments stand in the archive as they are. */
function labelOf({ type, schema, name }: Section): string {
  if (type === 'CAST') return `cast ${name.replace(/^CAST /, '')}`;
  const inSchema = WITH_ARGUMENTS.test(type) ? tableKey(schema, 'x').slice(0, -1) + name : tableKey(schema, name);
  return `${type.toLowerCase()} ${schema === '' ? name : inSchema}`;
}

const WITH_ARGUMENTS = /^(?:FUNCTION|PROCEDURE|AGGREGATE)$/;

/** By the type of an entry, where the catalog tells of such objects; what can stand for another has its kind. */
const KIND_OF: ReadonlyMap<string, string> = new Map([
  ...['FUNCTION', 'PROCEDURE', 'AGGREGATE'].map((type) => [type, 'routine'] as const),
  ...['TYPE', 'DOMAIN', 'SHELL TYPE'].map((type) => [type, 'type'] as const),
  ...[
    'ACCESS METHOD',
    'CAST',
    'COLLATION',
    'CONVERSION',
    'EVENT TRIGGER',
    'EXTENSION',
    'FOREIGN DATA WRAPPER',
    'OPERATOR',
    'OPERATOR CLASS',
    'OPERATOR FAMILY',
    'PROCEDURAL LANGUAGE',
    'PUBLICATION',
    'SCHEMA',
    'SERVER',
    'STATISTICS',
    'TEXT SEARCH CONFIGURATION',
    'TEXT SEARCH DICTIONARY',
    'TEXT SEARCH PARSER',
    'TEXT SEARCH TEMPLATE',
  ].map((type) => [type, type] as const),
]);

const inSchemas = (kind: string, catalog: string, prefix: string): string =>
  `SELECT '${kind}', n.nspname, o.${prefix}name FROM pg_catalog.${catalog} o
   JOIN pg_catalog.pg_namespace n ON n.oid = o.${prefix}namespace`;

const ofDatabase = (kind: string, catalog: string, column: string): string =>
  `SELECT '${kind}', '', ${column} FROM pg_catalog.${catalog}`;

/** Under an empty search path, types are written here as in the archive. */
const OBJECTS = [
  `SELECT 'routine', n.nspname, p.proname || '(' || CASE WHEN p.prokind = 'a' AND p.pronargs = 0 THEN '*' ELSE coalesce(
     (SELECT pg_catalog.string_agg(pg_catalog.format_type(a.type, NULL), ', ' ORDER BY a.at)
      FROM pg_catalog.unnest(p.proargtypes) WITH ORDINALITY AS a (type, at)), '') END || ')'
   FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace`,
  `SELECT 'CAST', '', 'CAST (' || pg_catalog.format_type(castsource, NULL) || ' AS ' ||
     pg_catalog.format_type(casttarget, NULL) || ')' FROM pg_catalog.pg_cast`,
  inSchemas('type', 'pg_type', 'typ'),
  inSchemas('COLLATION', 'pg_collation', 'coll'),
  inSchemas('CONVERSION', 'pg_conversion', 'con'),
  inSchemas('OPERATOR', 'pg_operator', 'opr'),
  inSchemas('OPERATOR CLASS', 'pg_opclass', 'opc'),
  inSchemas('OPERATOR FAMILY', 'pg_opfamily', 'opf'),
  inSchemas('STATISTICS', 'pg_statistic_ext', 'stx'),
  inSchemas('TEXT SEARCH CONFIGURATION', 'pg_ts_config', 'cfg'),
  inSchemas('TEXT SEARCH DICTIONARY', 'pg_ts_dict', 'dict'),
  inSchemas('TEXT SEARCH PARSER', 'pg_ts_parser', 'prs'),
  inSchemas('TEXT SEARCH TEMPLATE', 'pg_ts_template', 'tmpl'),
  ofDatabase('ACCESS METHOD', 'pg_am', 'amname'),
  ofDatabase('EVENT TRIGGER', 'pg_event_trigger', 'evtname'),
  ofDatabase('EXTENSION', 'pg_extension', 'extname'),
  ofDatabase('FOREIGN DATA WRAPPER', 'pg_foreign_data_wrapper', 'fdwname'),
  ofDatabase('PROCEDURAL LANGUAGE', 'pg_language', 'lanname'),
  ofDatabase('PUBLICATION', 'pg_publication', 'pubname'),
  ofDatabase('SCHEMA', 'pg_namespace', 'nspname'),
  ofDatabase('SERVER', 'pg_foreign_server', 'srvname'),
];

async function readObjects(session: Session): Promise<ReadonlySet<string>> {
  const rows = await session.query<{ readonly kind: string; readonly schema: string; readonly name: string }>(
    `SELECT kind, schema::text, name::text FROM (${OBJECTS.join('\nUNION ALL ')}) AS o (kind, schema, name)`,
  );
  return new Set(rows.map(({ kind, schema, name }) => objectKey(kind, schema, name)));
}

const objectKey = (kind: string, schema: string, name: string): string => JSON.stringify([kind, schema, name]);
