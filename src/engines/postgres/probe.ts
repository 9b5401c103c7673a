import type { Context } from '../../context.ts';
import { BkpError } from '../../errors.ts';
import type { Probe, Problem } from '../engine.ts';
import { connect, type PostgresTarget, type Session } from './connection.ts';
import { readServer, type Server } from './server.ts';
import { tableKey } from './table-key.ts';
import { findPostgresTool } from './tools.ts';

/** Looks at a database: reachable, tools that fit, rights that suffice, its size. */
export async function probePostgres(target: PostgresTarget, context: Context): Promise<Probe> {
  let session: Session | undefined;
  let server: Server | null = null;
  try {
    session = await connect(target, context);
    server = await readServer(session);
    const problems = await captureProblems(session);
    const tool = await findPostgresTool('pg_dump', server.major, target, context);
    const [size] = await session.query<{ readonly bytes: string }>(
      'SELECT pg_catalog.pg_database_size(pg_catalog.current_database()) AS bytes',
    );
    const versions = { server: `PostgreSQL ${server.version}`, tool: `pg_dump ${tool.version}` };
    return { versions, estimatedBytes: Number(size?.bytes ?? 0), problems };
  } catch (error) {
    if (!(error instanceof BkpError) || error.code === 'interrupted') throw error;
    const versions = { server: server?.version ?? null, tool: null };
    return { versions, estimatedBytes: null, problems: [{ message: error.message, hint: error.hint }] };
  } finally {
    await session?.close();
  }
}

interface Relation {
  readonly schema: string;
  readonly name: string;
}

/** Tables of the user's own and of extensions that hold rows to be dumped. */
const OWN = `c.relkind IN ('r', 'p', 'm', 'S') AND c.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')`;

/** What would make a dump fail, or worse, pass for whole: told before it starts. */
export async function captureProblems(session: Session): Promise<readonly Problem[]> {
  const hidden = await relations(
    session,
    `c.relkind IN ('r', 'p') AND c.relrowsecurity AND pg_catalog.row_security_active(c.oid)`,
  );
  const closed = await relations(
    session,
    `${OWN} AND NOT (CASE c.relkind WHEN 'S' THEN pg_catalog.has_sequence_privilege(c.oid, 'SELECT')
      ELSE pg_catalog.has_table_privilege(c.oid, 'SELECT') END)`,
  );
  return [
    ...problem(hidden, 'row-level security hides rows of', 'let the user BYPASSRLS, or connect as the owner'),
    ...problem(closed, 'the user may not read', 'grant SELECT, for instance by the role pg_read_all_data'),
  ];
}

const problem = (found: readonly Relation[], what: string, hint: string): readonly Problem[] =>
  found.length === 0 ? [] : [{ message: `${what} ${named(found)}`, hint }];

const MOST_NAMED = 5;

function named(found: readonly Relation[]): string {
  const names = found.slice(0, MOST_NAMED).map(({ schema, name }) => tableKey(schema, name));
  return found.length <= MOST_NAMED ? names.join(', ') : `${names.join(', ')} and ${found.length - MOST_NAMED} more`;
}

const relations = (session: Session, condition: string): Promise<readonly Relation[]> =>
  session.query<Relation>(
    `SELECT n.nspname AS schema, c.relname AS name FROM pg_catalog.pg_class c
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE ${condition} ORDER BY 1, 2`,
  );
