import type { Context } from '../../../context.ts';
import { guardError, targetError, throwIfAborted } from '../../../errors.ts';
import type { Facts, IncomingArtifact, RestoreOutcome, RestoreRequest } from '../../engine.ts';
import { orDamage } from '../../or-damage.ts';
import { isRestored, openArchiveInspector } from '../archive/archive-facts.ts';
import type { ArchiveStart } from '../archive/archive-reader.ts';
import { onlyArchive, readArchive, readArchiveStart } from '../archive/read-archive.ts';
import { listCollections, type LiveCollection } from '../server/collections.ts';
import { connect, type Session } from '../server/connection.ts';
import { steady } from '../server/steady.ts';
import type { MongodbTarget } from '../server/uri.ts';
import { buildBeside } from './build-beside.ts';
import { finishEarlier } from './exchange.ts';
import { describeCollections } from './inspect-destination.ts';

export type MongodbRequest = RestoreRequest<MongodbTarget>;

/** What a restore knows before it changes anything. */
export interface Prepared {
  readonly request: MongodbRequest;
  readonly artifact: IncomingArtifact;
  /** The database, as the archive calls it. */
  readonly from: string;
  /** What must come back: of the manifest, or of the archive itself where that does not know. */
  readonly expected: Facts;
  /** What stands there now. */
  readonly live: readonly LiveCollection[];
}

/** Brings a database back in one of the three modes. */
export async function restoreMongodb(request: MongodbRequest, context: Context): Promise<RestoreOutcome> {
  const artifact = onlyArchive(request.artifacts);
  throwIfAborted(context.signal);
  // What it does is short, and half of it would be worse than the wait: it does not end with an abort.
  const session = await connect(request.destination, steady(context));
  try {
    await finishEarlier(session, request.destination.database);
    return await orDamage(artifact, openArchiveInspector, context, async () =>
      buildBeside(await prepare(request, artifact, session), session, context),
    );
  } finally {
    await session.close();
  }
}

/** Throws what a restore would throw before it changes anything. Changes nothing. */
export async function assertMongodbRestorable(request: MongodbRequest, context: Context): Promise<void> {
  const session = await connect(request.destination, context);
  try {
    await prepare(request, onlyArchive(request.artifacts), session);
  } finally {
    await session.close();
  }
}

async function prepare(request: MongodbRequest, artifact: IncomingArtifact, session: Session): Promise<Prepared> {
  const { destination, mode, expectedFacts } = request;
  const { database } = destination;
  const live = await listCollections(session, database);
  if (mode === 'new' && live.length > 0)
    throw guardError(`cannot restore database ${database}: it holds ${describeCollections(live)}`, {
      hint: '`--mode replace` sets it aside, `--mode merge` adds what is missing',
    });
  const start = await readArchiveStart(artifact);
  const from = databaseOf(start, database);
  if (live.length > 0) assertRenamable(database, start, live);
  const isKnown = expectedFacts !== null && 'documents' in expectedFacts;
  return { request, artifact, from, live, expected: isKnown ? expectedFacts : await readArchive(artifact) };
}

function databaseOf({ collections }: ArchiveStart, database: string): string {
  const [from, ...others] = new Set(collections.filter(isRestored).map((one) => one.database));
  if (from !== undefined && others.length === 0) return from;
  throw targetError(
    from === undefined
      ? `cannot restore database ${database}: the archive has no collection`
      : `cannot restore database ${database}: the archive has several databases: ${[from, ...others].join(', ')}`,
  );
}

function assertRenamable(database: string, { collections }: ArchiveStart, live: readonly LiveCollection[]): void {
  const series = [...collections, ...live].find(({ type }) => type === 'timeseries');
  if (series === undefined) return;
  throw targetError(
    `cannot restore into database ${database}: no server renames a time series, and ${series.name} is one`,
    { hint: 'restore into a database that is absent, with --into, or drop this one first' },
  );
}
