import type { Problem } from '../../engine.ts';
import { databaseBytes, listCollections, listDatabases } from '../server/collections.ts';
import type { Session } from '../server/connection.ts';
import { type Server, readServer } from '../server/server.ts';
import type { MongodbTarget } from '../server/uri.ts';

/** What is to be dumped, as it stands before that. */
export interface Source {
  readonly server: Server;
  /** Null where nobody knows. */
  readonly bytes: number | null;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** Looks at a database, or at all of a server, without changing anything. */
export async function lookAtSource(session: Session, target: MongodbTarget): Promise<Source> {
  const server = await readServer(session);
  const { database, oplog } = target;
  const looked = database === undefined ? await lookAtAll(session) : await lookAtOne(session, database, target);
  const problems = [...(oplog === true ? oplogProblems(server) : []), ...looked.problems];
  const apart = oplog === true ? [] : [notOneMoment(server, target)];
  return { server, bytes: looked.bytes, problems, warnings: [...looked.warnings, ...apart] };
}

type Looked = Pick<Source, 'bytes' | 'problems' | 'warnings'>;

async function lookAtOne(
  session: Session,
  database: string,
  { excludeCollections = [] }: MongodbTarget,
): Promise<Looked> {
  const collections = await listCollections(session, database);
  const bytes = await databaseBytes(session, database);
  const strange = excludeCollections.filter((excluded) => !collections.some(({ name }) => name === excluded));
  return {
    bytes,
    problems:
      collections.length > 0
        ? []
        : [{ message: 'no such database, or one without a collection', hint: 'correct `database`' }],
    // Nothing is missing then, and after a restore it is like that.
    warnings: strange.map((name) => ({ message: `\`excludeCollections\` names ${name}, which is not there` })),
  };
}

async function lookAtAll(session: Session): Promise<Looked> {
  const names = await listDatabases(session);
  let bytes: number | null = 0;
  for (const name of names) {
    const more = await databaseBytes(session, name);
    bytes = bytes === null || more === null ? null : bytes + more;
  }
  const problems = names.length > 0 ? [] : [{ message: 'the server has no database, or shows none' }];
  return { bytes, problems, warnings: [] };
}

function oplogProblems({ replicaSet, isRouter }: Server): readonly Problem[] {
  if (isRouter) return [{ message: 'a router of a sharded cluster has no oplog', hint: 'leave `oplog` out' }];
  if (replicaSet !== null) return [];
  return [{ message: 'the server is no member of a replica set, so it has no oplog', hint: 'leave `oplog` out' }];
}

const notOneMoment = ({ replicaSet }: Server, { database }: MongodbTarget): Problem => ({
  message: 'collections that are written to meanwhile are not from one moment: mongodump reads one after the other',
  hint:
    replicaSet !== null && database === undefined
      ? 'set `oplog: true`'
      : 'stop the writers by hooks where that matters',
});
