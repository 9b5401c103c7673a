import type { Context } from '../../../context.ts';
import type { OutgoingArtifact } from '../../engine.ts';
import type { PostgresTarget, Session } from '../server/connection.ts';
import { dumpFolder } from './dump-folder.ts';
import { wantedFormat } from '../archive/dump-formats.ts';
import { judgeDump } from './judge-dump.ts';

/** One database for pg_dump. */
export interface DumpOrder {
  readonly target: Pick<PostgresTarget, 'database' | 'format' | 'jobs'>;
  /** Path of pg_dump. */
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
  /** Everything but the format: snapshot, lock timeout, filters. */
  readonly options: readonly string[];
  /** In the same database. */
  readonly session: Session;
}

/** A dump that is ready to be stored. `close` removes what was written on the way. */
export interface OpenDump {
  readonly artifact: OutgoingArtifact;
  /** What pg_dump said already. */
  readonly warnings: readonly string[];
  close(): Promise<void>;
}

/**
 * A dump in the format that the policy asks for: streamed by pg_dump, or written into a private folder first, where several
 * jobs can write at once.
 */
export async function openDump(order: DumpOrder, context: Context): Promise<OpenDump> {
  const { word, format, extension, open, program } = wantedFormat(order.target);
  const described = { name: '', extension, format, inspect: { open, program } };
  if (word === 'directory') {
    const { process, bytes, ...rest } = await dumpFolder(order, context);
    return { artifact: { ...described, source: { kind: 'process', process }, estimatedBytes: bytes }, ...rest };
  }
  const process = {
    argv: [order.program, ...OPTIONS[word], '--no-password', ...order.options],
    env: order.env,
  } as const;
  const source = { kind: 'process', process, judge: judgeDump } as const;
  const inspect = (await isSmall(order.session)) ? { open } : described.inspect;
  return {
    artifact: { ...described, inspect, source, estimatedBytes: null },
    warnings: [],
    close: async () => undefined,
  };
}

/** Uncompressed, because `streams/` compresses better and faster. In a script only verbose comments number the objects. */
const OPTIONS = {
  custom: ['--format=custom', '--compress=0'],
  tar: ['--format=tar'],
  plain: ['--format=plain', '--verbose'],
} as const;

/** A reader of its own process takes longer to start than so much to read. */
const SMALL_BYTES = 16 * 1024 * 1024;

/** Judged by the pages that the server last counted, and by all of its files where it never did: nothing is locked for it. */
async function isSmall(session: Session): Promise<boolean> {
  const [row] = await session.query<{ readonly bytes: string }>(
    `SELECT CASE WHEN bool_or(relpages = 0 AND reltuples <> 0) THEN pg_catalog.pg_database_size(pg_catalog.current_database())
       ELSE coalesce(sum(relpages), 0) * pg_catalog.current_setting('block_size')::int8 END AS bytes
     FROM pg_catalog.pg_class WHERE relkind IN ('r', 't') AND oid >= 16384 OR oid = 'pg_catalog.pg_largeobject'::regclass`,
  );
  return Number(row?.bytes) < SMALL_BYTES;
}
