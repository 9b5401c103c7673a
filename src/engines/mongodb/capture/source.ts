import type { Problem } from '../../engine.ts';
import { databaseBytes, listCollections } from '../server/collections.ts';
import type { Session } from '../server/connection.ts';
import { type Server, readServer } from '../server/server.ts';
import type { MongodbTarget } from '../server/uri.ts';

/** A database as it stands before it is dumped. */
export interface Source {
  readonly server: Server;
  readonly bytes: number;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** Looks at a database without changing it. */
export async function lookAtSource(session: Session, target: MongodbTarget): Promise<Source> {
  const server = await readServer(session);
  const collections = await listCollections(session, target.database);
  const names = collections.map(({ name }) => name);
  const strange = (target.excludeCollections ?? []).filter((name) => !names.includes(name));
  const bytes = await databaseBytes(session, target.database);
  const problems: readonly Problem[] =
    collections.length === 0
      ? [{ message: 'no such database, or one without a collection', hint: 'correct `database`' }]
      : strange.map((name) => ({ message: `\`excludeCollections\` names ${name}, which is not there` }));
  return { server, bytes, problems, warnings: [NOT_ONE_MOMENT] };
}

const NOT_ONE_MOMENT: Problem = {
  message: 'collections that are written to meanwhile are not from one moment: mongodump reads one after the other',
  hint: 'stop the writers by hooks where that matters',
};
