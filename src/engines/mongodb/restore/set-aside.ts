import type { Context } from '../../../context.ts';
import { targetError } from '../../../errors.ts';
import type { FoundAside } from '../../engine.ts';
import { listAll } from '../server/collections.ts';
import { connect, type Session } from '../server/connection.ts';
import { readReference } from '../server/names.ts';
import type { MongodbTarget } from '../server/uri.ts';
import { dropCollection } from './side.ts';

/** True while a collection that a replacement set aside is on the server. */
export async function mongodbAsideExists(old: FoundAside<MongodbTarget>, context: Context): Promise<boolean> {
  const found = readReference(old.reference);
  if (found === null) return false;
  return withServerOf(old, context, async (session) => (await namesUnder(session, found)).length > 0);
}

/** Drops the collections that a replacement set aside; ones that are gone are no failure. Refuses other names. */
export async function removeMongodbAside(old: FoundAside<MongodbTarget>, context: Context): Promise<void> {
  const found = readReference(old.reference);
  if (found === null)
    throw targetError(`cannot remove ${old.reference}: it is not the name of collections that were set aside`);
  await withServerOf(old, context, async (session) => {
    for (const name of await namesUnder(session, found)) await dropCollection(session, found.database, name);
  });
}

type Aside = NonNullable<ReturnType<typeof readReference>>;

const namesUnder = async (session: Session, { database, prefix }: Aside): Promise<readonly string[]> =>
  (await listAll(session, database)).map(({ name }) => name).filter((name) => name.startsWith(prefix));

async function withServerOf<T>(
  { reference, destination }: FoundAside<MongodbTarget>,
  context: Context,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  if (destination === undefined)
    throw targetError(`cannot look for ${reference}: its server is not known any more`, {
      hint: `drop its collections by hand`,
    });
  const session = await connect(destination, context);
  try {
    return await use(session);
  } finally {
    await session.close();
  }
}
