import { BkpError, targetError } from '../../../errors.ts';
import type { Problem } from '../../engine.ts';
import type { PostgresTarget, Session } from '../server/connection.ts';
import { codeOf } from '../server/explain-error.ts';
import { type MergeTable, qualified } from './table.ts';
import { quoteIdentifier } from '../server/quote.ts';
import { readServer } from '../server/server.ts';

/** Triggers, rules and foreign keys are silent until the end of the transaction. Throws `target` with the grant that lacks. */
export async function silence(session: Session, target: PostgresTarget): Promise<void> {
  const problem = await trySilence(session, target);
  if (problem === null) return;
  const { message, hint } = problem;
  throw targetError(`cannot write into tables of database ${target.database}: ${message}`, { hint });
}

/** The problem that `silence` would throw, found in any database of the server; changes nothing. */
export async function lackingSilence(session: Session, target: PostgresTarget): Promise<readonly Problem[]> {
  await session.query('BEGIN');
  const problem = await trySilence(session, target);
  await session.query('ROLLBACK');
  return problem === null ? [] : [problem];
}

async function trySilence(session: Session, { user = 'postgres' }: PostgresTarget): Promise<Problem | null> {
  try {
    await session.query('SET LOCAL session_replication_role = replica');
    return null;
  } catch (error) {
    if (!(error instanceof BkpError) || codeOf(error.cause) !== '42501') throw error;
    await session.query('ROLLBACK');
    const { major } = await readServer(session);
    const grant = `GRANT SET ON PARAMETER session_replication_role TO ${quoteIdentifier(user)}`;
    return { message: `user ${user} may not silence triggers`, hint: major >= 15 ? grant : 'restore as a superuser' };
  }
}

/** True where triggers, rules or foreign keys would be heard when rows of these tables change. */
export async function areHeard(session: Session, tables: readonly MergeTable[]): Promise<boolean> {
  const rows = await session.query(
    `SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = ANY ($1::pg_catalog.oid[]) AND tgenabled <> 'D'
     UNION ALL SELECT FROM pg_catalog.pg_rewrite WHERE ev_class = ANY ($1::pg_catalog.oid[]) AND ev_type <> '1' AND ev_enabled <> 'D'
     LIMIT 1`,
    [tables.map(({ oid }) => oid)],
  );
  return rows.length > 0;
}

/** Keeps writers away from tables and their loud triggers still; returns what makes those heard again. */
export async function quieten(session: Session, tables: readonly MergeTable[]): Promise<readonly string[]> {
  if (tables.length === 0) return [];
  await session.query(`LOCK TABLE ${tables.map(qualified).join(', ')} IN SHARE ROW EXCLUSIVE MODE`);
  return silenceAlways(session, tables);
}

/** Takes out triggers and rules that would be heard nevertheless; returns what puts them back. */
async function silenceAlways(session: Session, tables: readonly MergeTable[]): Promise<readonly string[]> {
  const rows = await session.query<{
    readonly oid: string;
    readonly what: string;
    readonly name: string;
    readonly enabled: string;
  }>(
    `SELECT tgrelid::text AS oid, 'TRIGGER' AS what, tgname AS name, tgenabled AS enabled FROM pg_catalog.pg_trigger
       WHERE tgrelid = ANY ($1::pg_catalog.oid[]) AND NOT tgisinternal AND tgenabled IN ('A', 'R')
     UNION ALL SELECT ev_class::text, 'RULE', rulename, ev_enabled FROM pg_catalog.pg_rewrite
       WHERE ev_class = ANY ($1::pg_catalog.oid[]) AND ev_type <> '1' AND ev_enabled IN ('A', 'R')`,
    [tables.map(({ oid }) => oid)],
  );
  const names = new Map(tables.map((table) => [table.oid, qualified(table)]));
  const back: string[] = [];
  for (const { oid, what, name, enabled } of rows) {
    const alter = `ALTER TABLE ${names.get(oid) ?? ''}`;
    await session.query(`${alter} DISABLE ${what} ${quoteIdentifier(name)}`);
    back.push(`${alter} ENABLE ${enabled === 'A' ? 'ALWAYS' : 'REPLICA'} ${what} ${quoteIdentifier(name)}`);
  }
  return back;
}
