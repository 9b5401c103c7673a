import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Context } from '../../../src/context.ts';
import type {
  Facts,
  IncomingArtifact,
  RestoreMode,
  RestoreOutcome,
  RestoreRequest,
} from '../../../src/engines/engine.ts';
import { connectPatiently } from '../../../src/engines/postgres/server/admin-session.ts';
import type { PostgresTarget } from '../../../src/engines/postgres/server/connection.ts';
import { readDatabaseFacts } from '../../../src/engines/postgres/server/database-facts.ts';
import { openLibpq } from '../../../src/engines/postgres/server/libpq.ts';
import { countLive } from '../../../src/engines/postgres/capture/live-facts.ts';
import { readSequences } from '../../../src/engines/postgres/capture/live-sequences.ts';
import { restorePostgres } from '../../../src/engines/postgres/restore/restore.ts';
import { openToolFinder } from '../../../src/engines/postgres/server/tools.ts';
import { openArtifact } from '../../../src/streams/open-artifact.ts';
import { storeArtifact } from '../../../src/streams/store-artifact.ts';
import { artifactOf } from '../../streams/samples.ts';
import { newRepository, SNAPSHOT } from '../workbench.ts';
import type { TestServer } from './restore-server.ts';

const PG_DUMP = '/usr/lib/postgresql/15/bin/pg_dump';

/** A dump in a repository, with what was counted when it was made. */
export interface Dump {
  readonly artifact: (context: Context) => IncomingArtifact;
  readonly facts: Facts;
}

/** Dumps a database through the real streams. */
export async function dump(
  target: PostgresTarget,
  context: Context,
  folder: string,
  options: readonly string[] = [],
): Promise<Dump> {
  const repository = await newRepository(folder, context);
  const libpq = await openLibpq(target, context);
  const session = await connectPatiently(target, context, target.database);
  try {
    const facts = {
      ...(await countLive(session)),
      sequences: await readSequences(session),
      database: await readDatabaseFacts(session),
    };
    const key = `snapshots/test/${SNAPSHOT}/${target.database.length}-${Math.random()}.dump.zst`;
    const compression = { method: 'zstd', level: 1 } as const;
    const process = { argv: [PG_DUMP, '-w', '-Fc', '-Z0', ...options], env: libpq.env } as const;
    const source = { kind: 'process', process } as const;
    const artifact = { name: '', extension: 'dump', format: 'pg-custom', source, estimatedBytes: null };
    const stored = await storeArtifact({ artifact, compression, threads: 1, repository, key }, context);
    const entry = { ...artifactOf(stored, 'zstd'), format: 'pg-custom' };
    return { facts, artifact: (reading) => openArtifact(entry, { repository, key }, reading) };
  } finally {
    await session.close();
    await libpq.close();
  }
}

export function restore(
  taken: Dump,
  destination: PostgresTarget,
  mode: RestoreMode,
  context: Context,
  changes: Partial<RestoreRequest<PostgresTarget>> = {},
): Promise<RestoreOutcome> {
  return restorePostgres(
    {
      destination,
      mode,
      artifacts: [taken.artifact(context)],
      paths: [],
      skipConflicts: false,
      noOwner: false,
      expectedFacts: taken.facts,
      snapshot: SNAPSHOT,
      ...changes,
    },
    openToolFinder(destination, context),
    context,
  );
}

/** Definitions, rows, large objects, sequences, rights, settings and comments of a database, as one text. */
export async function describeDatabase(server: TestServer, database: string): Promise<string> {
  const { host = '', port, user = '', password, database: name } = server.target(database);
  const env = { PATH: process.env['PATH'], PGPASSWORD: password, TZ: 'UTC' };
  const args = ['-w', '-C', '-h', host, '-p', String(port), '-U', user, '-d', name];
  const { stdout } = await promisify(execFile)(PG_DUMP, args, { env, maxBuffer: 256 * 1024 * 1024 });
  return canonical(stdout, name);
}

/** Rows of a table come in any order; keys of psql and the database's own name differ. */
function canonical(script: string, database: string): string {
  const lines = script
    .split('\n')
    .filter((line) => !/^\\(?:restrict|unrestrict|encoding|connect) |^-- (?:Dumped|Started|Completed)/.test(line))
    .map((line) => line.replaceAll(new RegExp(`(DATABASE|Name:) "?${database}"?(?= |;|$)`, 'g'), '$1 DB'));
  const out: string[] = [];
  let rows: string[] | undefined;
  for (const line of lines) {
    if (rows !== undefined && line === '\\.') {
      out.push(...rows.toSorted());
      rows = undefined;
    }
    if (rows === undefined) out.push(line);
    else rows.push(line);
    if (/^COPY .* FROM stdin;$/.test(line)) rows = [];
  }
  return out.join('\n');
}
