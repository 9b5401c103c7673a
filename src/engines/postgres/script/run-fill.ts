import type { Context, ProcessSpec } from '../../../context.ts';
import { throwIfAborted } from '../../../errors.ts';
import type { IncomingArtifact } from '../../engine.ts';
import { storedFormat } from '../archive/dump-formats.ts';
import { assertRestored, judgeRestore } from './judge-restore.ts';
import { runScript } from './run-script.ts';
import { unpackFile, unpackWhole, type UnpackedDump } from '../archive/unpack-dump.ts';

/** A dump on its way into a database. */
export interface Fill {
  readonly artifact: IncomingArtifact;
  /** As an argument: see `databaseArgument`. */
  readonly database: string;
  /** Path of pg_restore. */
  readonly program: string;
  /** For pg_restore, besides those that are always given. */
  readonly options: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly jobs: number;
}

/** Streams a dump into the program that reads its format, or lets that read from the disk where it must move about in it. */
export async function runFill(fill: Fill, context: Context): Promise<void> {
  const { artifact, env, jobs } = fill;
  const { word } = storedFormat(artifact);
  if (word === 'plain') return runScript(fill, context);
  if (word === 'directory' || word === 'tar')
    return runUnpacked(fill, await unpackWhole(word, artifact, context), context);
  if (jobs > 1) return runUnpacked(fill, await unpackFile(artifact, context), context);
  await artifact.into({ kind: 'process', process: { argv: argvOf(fill), env }, judge: judgeRestore });
}

const argvOf = ({ program, database, options, jobs }: Fill): readonly [string, ...string[]] => [
  program,
  '--no-password',
  jobs > 1 ? `--jobs=${jobs}` : '--single-transaction',
  '--exit-on-error',
  '--no-subscriptions',
  ...options,
  `--dbname=${database}`,
];

async function runUnpacked(fill: Fill, dump: UnpackedDump, context: Context): Promise<void> {
  try {
    throwIfAborted(context.signal);
    const process: ProcessSpec = { argv: [...argvOf(fill), dump.path], env: fill.env };
    const end = await context.start(process, { stdin: 'ignore', stdout: 'ignore' }).closed;
    throwIfAborted(context.signal);
    assertRestored('pg_restore', end, judgeRestore);
  } finally {
    await dump.remove();
  }
}
