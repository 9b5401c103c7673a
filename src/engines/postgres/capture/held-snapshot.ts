import type { Context } from '../../../context.ts';
import type { Session } from '../server/connection.ts';

/** A snapshot of one database that other programs may look through for as long as its session holds it. */
export interface HeldSnapshot {
  readonly id: string;
  /** The transactions that it sees and those it does not: they are counted over all databases of a server. */
  readonly sees: string;
}

/** Snapshots of several databases of one server. */
export interface HeldTogether {
  readonly snapshots: readonly HeldSnapshot[];
  /** They were taken between these two. */
  readonly between: readonly [Date, Date];
  /** No transaction began to write or ended between the first and the last: all show one moment. */
  readonly isOneMoment: boolean;
}

/** A server that is written to is seldom still for long; each try takes milliseconds. */
const ATTEMPTS = 20;

/**
 * Takes a snapshot in every session, as near to each other as can be. PostgreSQL has none across databases: they are taken
 * again until all see the same transactions, and after some tries the last ones stand.
 */
export async function holdSnapshots(sessions: readonly Session[], context: Context): Promise<HeldTogether> {
  for (let attempt = 1; ; attempt += 1) {
    const begun = context.clock.now();
    const snapshots = await Promise.all(sessions.map(holdSnapshot));
    const isOneMoment = snapshots.every(({ sees }) => sees === snapshots[0]?.sees);
    if (isOneMoment || attempt === ATTEMPTS) return { snapshots, between: [begun, context.clock.now()], isOneMoment };
    await Promise.all(sessions.map((session) => session.query('ROLLBACK')));
  }
}

async function holdSnapshot(session: Session): Promise<HeldSnapshot> {
  await session.query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
  await session.query('SET LOCAL statement_timeout = 0');
  const [row] = await session.query<HeldSnapshot>(
    'SELECT pg_catalog.pg_export_snapshot() AS id, pg_catalog.txid_current_snapshot()::text AS sees',
  );
  if (row === undefined) throw new Error('a server without a snapshot');
  return row;
}
