import type { Context } from '../../../context.ts';
import { type AsideDatabases, asideExists, removeAside } from '../../databases/set-aside.ts';
import type { FoundAside } from '../../engine.ts';
import { asDatabase } from '../databases/list-databases.ts';
import type { MysqlConfig, Session } from '../server/connection.ts';
import { dropDatabase } from '../server/drop-objects.ts';
import { databaseExists, isOldName } from '../server/names.ts';
import { connectPatiently } from '../server/patient-session.ts';
import { quoteIdentifier } from '../server/quote.ts';

const DATABASES: AsideDatabases<MysqlConfig, Session> = {
  connect: (destination, context) => connectPatiently(asDatabase(destination, ''), context, null),
  exists: databaseExists,
  drop: dropDatabase,
  isOldName,
  quote: quoteIdentifier,
};

/** True while the database that a replacement set aside is on the server. */
export const mysqlAsideExists = (old: FoundAside<MysqlConfig>, context: Context): Promise<boolean> =>
  asideExists(old, DATABASES, context);

/** Drops a database that a replacement set aside; one that is gone is no failure. Refuses other names. */
export const removeMysqlAside = (old: FoundAside<MysqlConfig>, context: Context): Promise<void> =>
  removeAside(old, DATABASES, context);
