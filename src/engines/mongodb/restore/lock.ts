import type { Context } from '../../../context.ts';
import { guardError } from '../../../errors.ts';
import type { Session } from '../server/connection.ts';
import { LOCK } from '../server/names.ts';
import { dropCollection } from './side.ts';

/** Who restores into a database. */
interface Owner {
  readonly host: string;
  readonly bootId: string;
  readonly pid: number;
}

const ID = 'restore';
const DUPLICATE_KEY = 11_000;

/** Keeps a second restore of the same database away. What a dead process of this machine holds is taken over. */
export async function lockDatabase(session: Session, database: string, { host }: Context): Promise<void> {
  const mine: Owner = { host: host.name, bootId: host.bootId, pid: host.pid };
  if (await insertLock(session, database, mine)) return;
  const owner = await readLock(session, database);
  const isDead =
    owner === null ||
    (host.bootId !== '' && owner.host === host.name && owner.bootId === host.bootId && !host.isAlive(owner.pid));
  if (isDead) {
    await unlockDatabase(session, database);
    if (await insertLock(session, database, mine)) return;
  }
  throw guardError(`cannot restore database ${database}: another restore of it is under way`, {
    hint: `wait until it has ended; if ${owner?.host ?? 'its machine'} is gone, drop the collection ${LOCK}`,
  });
}

export const unlockDatabase = (session: Session, database: string): Promise<void> =>
  dropCollection(session, database, LOCK);

const insertLock = (session: Session, database: string, owner: Owner): Promise<boolean> =>
  session.in(database, async (db) => {
    try {
      await db.collection<Owner & { readonly _id: string }>(LOCK).insertOne({ _id: ID, ...owner });
      return true;
    } catch (error) {
      if (Number((error as { readonly code?: unknown }).code) === DUPLICATE_KEY) return false;
      throw error;
    }
  });

const readLock = (session: Session, database: string): Promise<Owner | null> =>
  session.in(database, async (db) => {
    const found = await db.collection<Owner & { readonly _id: string }>(LOCK).findOne({ _id: ID });
    return found === null ? null : { host: found.host, bootId: found.bootId, pid: Number(found.pid) };
  });
