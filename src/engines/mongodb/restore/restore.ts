import type { Context } from '../../../context.ts';
import { targetError, throwIfAborted } from '../../../errors.ts';
import type { Facts, IncomingArtifact, RestoreOutcome, RestoreRequest } from '../../engine.ts';
import { orDamage } from '../../or-damage.ts';
import type { ArchivedCollection, ArchiveStart } from '../archive/archive-reader.ts';
import { onlyArchive, readArchive, readArchiveStart } from '../archive/read-archive.ts';
import { connect, type Session } from '../server/connection.ts';
import { readServer, type Server } from '../server/server.ts';
import { steady } from '../server/steady.ts';
import type { MongodbTarget } from '../server/uri.ts';
import { buildBeside } from './build-beside.ts';
import { finishEarlier } from './exchange.ts';
import { fillDirectly } from './fill-directly.ts';
import { lockDatabase, unlockDatabase } from './lock.ts';
import { openPlace, pairDatabases, type Place } from './places.ts';
import { restoreUsers } from './restore-users.ts';

export type MongodbRequest = RestoreRequest<MongodbTarget>;

/** What a restore knows before it changes anything. */
export interface Prepared {
  readonly request: MongodbRequest;
  readonly artifact: IncomingArtifact;
  readonly collections: readonly ArchivedCollection[];
  readonly places: readonly Place[];
  /** What was written during the dump is replayed: the archive comes back as it is, or not at all. */
  readonly oplog: boolean;
  /** What must come back: of the manifest, or of the archive itself where that does not know. */
  readonly expected: Facts;
  /** What people must know whatever comes of it. */
  readonly warnings: readonly string[];
}

/** Brings a database, or all of a server, back in one of the three modes. */
export async function restoreMongodb(request: MongodbRequest, context: Context): Promise<RestoreOutcome> {
  const artifact = onlyArchive(request.artifacts);
  throwIfAborted(context.signal);
  // What it does is short, and half of it would be worse than the wait: it does not end with an abort.
  const session = await connect(request.destination, steady(context));
  const locked: string[] = [];
  const enter = async (database: string): Promise<void> => {
    await lockDatabase(session, database, context);
    locked.push(database);
    await finishEarlier(session, database);
  };
  try {
    return await orDamage(
      () => readArchive(artifact),
      context,
      async () => {
        const prepared = await prepare(request, artifact, session, enter);
        const isDirect = prepared.places.every(({ prefix }) => prefix === '');
        const outcome = await (isDirect ? fillDirectly : buildBeside)(prepared, session, context);
        const conflicts = await restoreUsers(prepared, context);
        const warnings = [...prepared.warnings, ...outcome.warnings];
        return { ...outcome, warnings, conflicts: [...outcome.conflicts, ...conflicts] };
      },
    );
  } finally {
    for (const database of locked) await unlockDatabase(session, database).catch(() => undefined);
    await session.close();
  }
}

/** Throws what a restore would throw before it changes anything. Changes nothing. */
export async function assertMongodbRestorable(request: MongodbRequest, context: Context): Promise<void> {
  const session = await connect(request.destination, context);
  try {
    await prepare(request, onlyArchive(request.artifacts), session, async () => undefined);
  } finally {
    await session.close();
  }
}

async function prepare(
  request: MongodbRequest,
  artifact: IncomingArtifact,
  session: Session,
  enter: (database: string) => Promise<void>,
): Promise<Prepared> {
  const { destination, expectedFacts } = request;
  const start = await readArchiveStart(artifact);
  const { collections } = start;
  const pairs = pairDatabases(request, collections);
  const oplog = destination.oplog === true && collections.some(({ database, name }) => database + name === 'oplog');
  const isDirect = oplog || collections.some(({ type }) => type === 'timeseries');
  const places: Place[] = [];
  for (const pair of pairs) {
    await enter(pair.database);
    const place = await openPlace(pair, request, isDirect, session);
    assertRenamable(place, oplog, collections);
    places.push(place);
  }
  const isKnown = expectedFacts !== null && 'documents' in expectedFacts;
  const expected = isKnown ? expectedFacts : await readArchive(artifact);
  const warnings = [...newerWarnings(start, await readServer(session)), ...functionWarnings(start)];
  return { request, artifact, collections, places, oplog, expected, warnings };
}

function assertRenamable({ database, live }: Place, oplog: boolean, collections: readonly ArchivedCollection[]): void {
  if (live.length === 0) return;
  const series = [...collections, ...live].find(({ type }) => type === 'timeseries');
  const hint = 'restore where nothing of it is: drop the database, or name another server with --into';
  if (oplog)
    throw targetError(`cannot restore into database ${database}: an oplog is replayed on nothing else`, { hint });
  if (series === undefined) return;
  throw targetError(
    `cannot restore into database ${database}: no server renames a time series, and ${series.name} is one`,
    { hint: 'restore into a database that is absent, with --into, or drop this one first' },
  );
}

const majorOf = (version: string): number => Number(/^\d+/.exec(version)?.[0] ?? Number.NaN);

/** Newer servers have kinds of collections and indexes that older ones do not know; the comparison finds what is lost. */
const newerWarnings = ({ serverVersion }: ArchiveStart, { version }: Server): readonly string[] =>
  majorOf(serverVersion) > majorOf(version)
    ? [`the archive is of MongoDB ${serverVersion}, and the server is an older one: ${version}`]
    : [];

const functionWarnings = ({ collections }: ArchiveStart): readonly string[] =>
  collections.flatMap(({ database, name }) =>
    name === 'system.js' ? [`${database}: functions that the server keeps (system.js) do not come back`] : [],
  );
