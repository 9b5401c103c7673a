import type { Context } from '../../../context.ts';
import { targetError } from '../../../errors.ts';
import type { Capture } from '../../engine.ts';
import { openArchiveInspector } from '../archive/archive-facts.ts';
import { ARCHIVE_FORMAT } from '../archive/read-archive.ts';
import { openConfigFile } from '../server/config-file.ts';
import { connect } from '../server/connection.ts';
import { OWN_PREFIXES } from '../server/names.ts';
import { findMongoTool } from '../server/tools.ts';
import type { MongodbTarget } from '../server/uri.ts';
import { lookAtSource, type Source } from './source.ts';
import { judgeDump } from './judge-dump.ts';

/** A reader of its own process takes longer to start than so much to read. */
const SMALL_BYTES = 16 * 1024 * 1024;

/** Gets a database, or all of a server, ready to be dumped: looks for what would make a dump fail, or pass for whole. Throws `target` or `tool`. */
export async function captureMongodb(target: MongodbTarget, context: Context): Promise<Capture> {
  const startedAt = context.clock.now();
  const tool = await findMongoTool('mongodump', target, context);
  const source = await lookAt(target, context);
  const config = await openConfigFile(target, context);
  const inspect = { open: openArchiveInspector } as const;
  return {
    artifacts: [
      {
        name: '',
        extension: 'archive',
        format: ARCHIVE_FORMAT,
        source: {
          kind: 'process',
          process: { argv: [tool.program, ...dumpArguments(target, config.path)] },
          judge: judgeDump,
        },
        estimatedBytes: source.bytes,
        inspect:
          source.bytes !== null && source.bytes < SMALL_BYTES ? inspect : { ...inspect, program: 'mongo-archive' },
      },
    ],
    get pointInTime(): readonly [Date, Date] {
      return [startedAt, context.clock.now()];
    },
    versions: { server: source.server.version, tool: tool.version },
    warnings: [],
    facts: async () => ({}),
    close: () => config.close(),
  };
}

/** Gzip is left off: `streams/` compresses better and faster, and reads what it stores. */
const dumpArguments = (target: MongodbTarget, config: string): readonly string[] => [
  `--config=${config}`,
  '--archive',
  `--numParallelCollections=${target.jobs ?? 4}`,
  ...(target.readPreference === undefined ? [] : [`--readPreference=${target.readPreference}`]),
  ...(target.database === undefined ? ofServer(target) : ofDatabase(target, target.database)),
];

const ofServer = ({ oplog }: MongodbTarget): readonly string[] => (oplog === true ? ['--oplog'] : []);

const ofDatabase = ({ users, excludeCollections = [] }: MongodbTarget, database: string): readonly string[] => [
  `--db=${database}`,
  ...(users === true ? ['--dumpDbUsersAndRoles'] : []),
  ...excludeCollections.map((name) => `--excludeCollection=${name}`),
  ...OWN_PREFIXES.map((prefix) => `--excludeCollectionsWithPrefix=${prefix}`),
];

async function lookAt(target: MongodbTarget, context: Context): Promise<Source> {
  const session = await connect(target, context);
  try {
    const source = await lookAtSource(session, target);
    const problem = source.problems[0];
    if (problem === undefined) return source;
    throw targetError(`cannot capture ${target.database ?? 'all databases'}: ${problem.message}`, {
      hint: problem.hint,
    });
  } finally {
    await session.close();
  }
}
