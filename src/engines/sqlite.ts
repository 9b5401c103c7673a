import { access, constants, mkdtemp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Context } from '../context.ts';
import { targetError } from '../errors.ts';
import type { Capture, Engine, IncomingArtifact, Problem, TargetOf } from './engine.ts';
import { requireFreeSpace } from './free-space.ts';
import { shellQuote } from './shell-quote.ts';
import { busyTimeoutMs } from './sqlite/busy-timeout.ts';
import { callSqlite } from './sqlite/call.ts';
import { withHeartbeat } from './sqlite/heartbeat.ts';
import { type DatabaseFile, inspectDatabaseFile, unreadableReason } from './sqlite/file.ts';
import { findHolders } from './sqlite/holders.ts';
import { isTaken, removeDatabase } from './sqlite/parts.ts';
import { destinationProblems, restoreSqlite, singleArtifact } from './sqlite/restore.ts';
import { hasEarlierSwap } from './sqlite/swap.ts';

type Target = TargetOf<'sqlite'>;

/** SQLite databases: copied with VACUUM INTO while applications write, restored by a file swap or a merge. */
export const sqlite: Engine<'sqlite'> = {
  type: 'sqlite',
  capabilities: {
    modes: ['new', 'replace', 'merge'],
    sqlChecks: true,
    paths: false,
    pathsWithin: false,
    noOwner: false,
    safetyBeforeMerge: true,
    local: true,
    tools: [],
    formats: ['sqlite3'],
  },

  async probe(target) {
    const versions = { server: null, tool: null };
    let file: DatabaseFile;
    try {
      file = await inspectDatabaseFile(target.path);
    } catch (error) {
      const problem = { message: `cannot look at database ${target.path}: ${unreadableReason(error)}` };
      return { versions, estimatedBytes: null, problems: [problem], warnings: [] };
    }
    return { versions, estimatedBytes: file.bytes, problems: await captureProblems(file), warnings: [] };
  },

  capture: (target, context) => captureSqlite(target, context),

  async check(artifacts, context) {
    return withCopy(artifacts, context, async (path) => ({
      facts: await callSqlite(context, 'inspectCopy', { path, name: 'of the snapshot' }),
    }));
  },

  async query(artifacts, sql, context) {
    return withCopy(artifacts, context, (path) =>
      callSqlite(context, 'queryCopy', { path, name: 'of the snapshot', sql }),
    );
  },

  async inspectDestination(destination, context) {
    const file = await inspectDatabaseFile(destination.path);
    const holders = await findHolders(file, context);
    const parts = [file.description];
    if (file.kind === 'absent' && file.sidecars.length > 0) parts.push(`${file.sidecars.join(', ')} left over`);
    if (holders.length > 0) parts.push(`open in ${holders.join(', ')}`);
    if (await hasEarlierSwap(file.path)) parts.push('an interrupted restore is finished or undone first');
    return { state: STATES[file.kind], description: parts.join(', '), problems: await destinationProblems(file) };
  },

  restore: (request, context) => restoreSqlite(request, context),

  nativeRestore: (target, { decode }) => `${decode} > ${shellQuote(target.path)}`,

  setAsideExists: (old) => isTaken(old.reference),

  async removeSetAside(old) {
    if (!/\.bkp-old-[0-9]{8}T[0-9]{6}Z-[a-z0-9]+(?:\.\d+)?$/.test(old.reference)) {
      throw targetError(`cannot remove ${old.reference}: it is not the name of an old database that was set aside`);
    }
    await removeDatabase(old.reference);
  },
};

const STATES = {
  absent: 'absent',
  empty: 'empty',
  database: 'occupied',
  foreign: 'occupied',
  unusable: 'unsuitable',
} as const;

async function captureSqlite(target: Target, context: Context): Promise<Capture> {
  const file = await inspectDatabaseFile(target.path).catch((error: unknown) => {
    throw targetError(`cannot copy database ${target.path}: ${unreadableReason(error)}`, { cause: error });
  });
  const { path } = file;
  const problem = (await captureProblems(file))[0];
  if (problem !== undefined) throw targetError(`cannot copy the database: ${problem.message}`, { hint: problem.hint });
  await requireFreeSpace(context.workDir, file.bytes, `copy database ${path}`);
  const folder = await mkdtemp(join(context.workDir, 'sqlite-'));
  const close = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const copy = join(folder, 'copy.db');
    const start = context.clock.now();
    const alive = <T>(job: Promise<T>, makesCopy: boolean): Promise<T> =>
      withHeartbeat(path, copy, file.bytes, { job, makesCopy }, context);
    const { sqliteVersion } = await alive(
      callSqlite(context, 'copyDatabase', { path, into: copy, busyTimeoutMs: busyTimeoutMs(target) }),
      true,
    );
    const end = context.clock.now();
    return {
      artifacts: [
        {
          name: '',
          extension: 'db',
          format: 'sqlite3',
          source: { kind: 'file', path: copy },
          estimatedBytes: file.bytes,
        },
      ],
      pointInTime: [start, end],
      warnings: [],
      versions: { server: null, tool: sqliteVersion },
      facts: () => alive(callSqlite(context, 'inspectCopy', { path: copy, name: path }), false),
      query: async (sql) => (await callSqlite(context, 'queryCopy', { path: copy, name: path, sql: [sql] }))[0] ?? null,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What keeps a capture from starting, told without opening the database. */
async function captureProblems(file: DatabaseFile): Promise<readonly Problem[]> {
  const { path } = file;
  if (file.kind === 'absent' && file.hasPendingLog) {
    return [
      {
        message: `${path} is gone, only the log beside it is left`,
        hint: 'the log is useless without its database: restore the database first, and keep the log for a look',
      },
    ];
  }
  if (file.kind === 'absent') {
    const hint = (await hasEarlierSwap(path))
      ? 'a restore was killed half-way: run it again, it finishes or undoes what was left'
      : 'correct `path`, or mount its file system';
    return [{ message: `${path} does not exist`, hint }];
  }
  if (file.kind === 'unusable') return [{ message: `${path} is not a regular file` }];
  if (file.stats?.size === 0) {
    return [{ message: `${path} has no byte`, hint: 'the application has not made its database yet, or lost it' }];
  }
  if (file.kind === 'foreign') return [{ message: `${path} is not a SQLite database, or it is encrypted` }];
  const isSidecarMissing = !file.sidecars.includes('-shm');
  if (file.header?.isWal === true && isSidecarMissing) {
    const canWrite = await access(dirname(path), constants.W_OK).then(
      () => true,
      () => false,
    );
    if (!canWrite) {
      return [
        {
          message: `${path} is in WAL mode and its folder cannot be written, which SQLite needs even to read`,
          hint: 'mount the folder writable, or run as the owner of the database',
        },
      ];
    }
  }
  return [];
}

async function withCopy<T>(
  artifacts: readonly IncomingArtifact[],
  context: Context,
  use: (path: string) => Promise<T>,
): Promise<T> {
  const artifact = singleArtifact(artifacts);
  const folder = await mkdtemp(join(context.workDir, 'sqlite-'));
  try {
    if (artifact.rawBytes !== null) await requireFreeSpace(folder, artifact.rawBytes, 'check the snapshot');
    const path = join(folder, 'artifact.db');
    await artifact.into({ kind: 'file', path });
    return await use(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
