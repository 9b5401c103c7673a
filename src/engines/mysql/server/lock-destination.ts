import { createHash } from 'node:crypto';
import { guardError } from '../../../errors.ts';
import { type MysqlTarget, serverOf, type Session } from './connection.ts';

const WAIT_SECONDS = 10;

/**
 * Keeps a second restore of the same database away for as long as the session lives. A dead process lets go once the
 * server has ended what it was doing for it.
 */
export async function lockDestination(session: Session, target: MysqlTarget): Promise<void> {
  const name = `bkp ${createHash('sha256').update(target.database.toLowerCase()).digest('hex').slice(0, 40)}`;
  const [row] = await session.query<{ readonly got: number | null }>('SELECT GET_LOCK(?, ?) AS got', [
    name,
    WAIT_SECONDS,
  ]);
  if (Number(row?.got) === 1) return;
  throw guardError(
    `cannot restore database ${target.database} on ${serverOf(target)}: another restore of it is under way`,
    { hint: 'wait until it has ended' },
  );
}
