import type { Context } from '../../../context.ts';
import { targetError } from '../../../errors.ts';
import type { FoundAside } from '../../engine.ts';
import { asDatabase } from '../databases/list-databases.ts';
import type { MysqlConfig, Session } from '../server/connection.ts';
import { dropDatabase } from '../server/drop-objects.ts';
import { databaseExists, isOldName } from '../server/names.ts';
import { connectPatiently } from '../server/patient-session.ts';
import { quoteIdentifier } from '../server/quote.ts';

/** True while the database that a replacement set aside is on the server. */
export const mysqlAsideExists = (old: FoundAside<MysqlConfig>, context: Context): Promise<boolean> =>
  withServerOf(old, context, (session) => databaseExists(session, old.reference));

/** Drops a database that a replacement set aside; one that is gone is no failure. Refuses other names. */
export async function removeMysqlAside(old: FoundAside<MysqlConfig>, context: Context): Promise<void> {
  if (!isOldName(old.reference) || old.reference === old.destination?.database)
    throw targetError(
      `cannot remove database ${old.reference}: it is not the name of an old database that was set aside`,
    );
  await withServerOf(old, context, (session) => dropDatabase(session, old.reference));
}

async function withServerOf<T>(
  { reference, destination }: FoundAside<MysqlConfig>,
  context: Context,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  if (destination === undefined) {
    throw targetError(`cannot look for database ${reference}: its server is not known any more`, {
      hint: `drop it by hand: DROP DATABASE ${quoteIdentifier(reference)}`,
    });
  }
  const session = await connectPatiently(asDatabase(destination, ''), context, null);
  try {
    return await use(session);
  } finally {
    await session.close();
  }
}
