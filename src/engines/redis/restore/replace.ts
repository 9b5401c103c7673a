import { randomBytes, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pipeline } from 'node:stream/promises';
import type { Context } from '../../../context.ts';
import { BkpError, reasonOf, targetError, throwIfAborted } from '../../../errors.ts';
import type { IncomingArtifact, RestoreOutcome } from '../../engine.ts';
import { openDumpInspector } from '../rdb/dump-facts.ts';
import { type RedisTarget, serverOf } from '../server/connection.ts';
import { readInfo } from '../server/server-info.ts';
import { connect, type Session } from '../server/session.ts';
import { requestDump } from '../wire/receive-dump.ts';
import { compareLive } from './compare-live.ts';
import { type DumpToFollow, followDump, type Meeting, meetingPlace } from './follow.ts';
import { setting } from './preflight.ts';
import { restoredCounts } from './restored-counts.ts';
import type { Survey } from './survey.ts';

/** What a server that follows us for a while is told to say; it also tells the next restore whose replica that was. */
const PASSWORD_PREFIX = 'bkp-restore-';

/**
 * Exchanges everything a server has for a dump that was read and counted before. What it has is kept on this machine until
 * the new state was counted, and goes back when that is not what was captured.
 */
export async function replaceAll(
  artifact: IncomingArtifact,
  survey: Survey,
  target: RedisTarget,
  session: Session,
  context: Context,
): Promise<RestoreOutcome> {
  await assertMayFollow(survey, session, target);
  const place = await meetingPlace(target, context);
  const flushesFirst = (await setting(session, 'repl-diskless-load')).includes('flush');
  const path = join(context.workDir, `before-${randomUUID()}.rdb`);
  try {
    const before = await keepBefore(path, target, context);
    return await withPassword(session, target, context, async (password, steady) => {
      const meeting = { place, password, flushesFirst };
      let isChanged = false;
      const dump = { artifact, bytes: survey.bytes };
      try {
        await followDump(dump, target, meeting, steady, context, () => (isChanged = true));
        const { facts, warnings } = await compareLive(steady, survey, target, context.clock.now());
        throwIfAborted(context.signal);
        await rewritten(steady, context);
        return {
          facts,
          keptOld: [],
          restored: restoredCounts(facts['keys'], facts['libraries']),
          conflicts: [],
          warnings,
        };
      } catch (error) {
        if (isChanged) await putBack(before, error, meeting, target, context);
        throw error;
      }
    });
  } finally {
    await rm(path, { force: true });
  }
}

async function assertMayFollow({ moduleTypes }: Survey, session: Session, target: RedisTarget): Promise<void> {
  const { fields } = await readInfo(session);
  const refuse = (reason: string): BkpError =>
    targetError(`cannot replace redis at ${serverOf(target)}: ${reason}`, {
      hint: 'restore into another server with mode `new`, or with `method: file`',
    });
  // A replica that does not know a type in what it gets ends itself.
  if (moduleTypes.length > 0) throw refuse(`the dump has data of modules (${moduleTypes.join(', ')})`);
  if (fields.get('cluster_enabled') === '1') throw refuse('it is one of a cluster and follows nobody outside');
  if ((await setting(session, 'tls-replication')) === 'yes')
    throw refuse('it follows others by TLS only (tls-replication)');
}

/** Writes what the server has into a private file, whole and checked. */
async function keepBefore(path: string, target: RedisTarget, context: Context): Promise<DumpToFollow> {
  const dump = await requestDump(target, context);
  const inspector = openDumpInspector();
  let bytes = 0;
  try {
    await pipeline(
      dump.open(),
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          bytes += chunk.length;
          inspector.push(chunk);
          context.emit({ type: 'progress', subject: `keeping what ${serverOf(target)} has`, bytes, totalBytes: null });
          yield chunk;
        }
      },
      createWriteStream(path, { flags: 'wx', mode: 0o600 }),
      { signal: context.signal },
    );
    inspector.end();
  } catch (error) {
    throwIfAborted(context.signal);
    if (error instanceof BkpError) throw error;
    throw targetError(`cannot keep what redis at ${serverOf(target)} has: ${reasonOf(error)}`, {
      hint: 'free some space, or set TMPDIR to a larger place',
      cause: error,
    });
  } finally {
    dump.close();
  }
  return {
    bytes,
    artifact: {
      into: async (sink) => {
        if (sink.kind === 'reader') await sink.read(createReadStream(path, { highWaterMark: 256 * 1024 }));
      },
    },
  };
}

/** Gives the server a password for us, where it has none for those it follows. It goes away again in every case. */
async function withPassword<T>(
  session: Session,
  target: RedisTarget,
  context: Context,
  use: (password: string, steady: Session) => Promise<T>,
): Promise<T> {
  const own = await setting(session, 'masterauth');
  const password = own === '' ? `${PASSWORD_PREFIX}${randomBytes(16).toString('hex')}` : own;
  // An abort must not leave it a replica.
  const steady = await connect(target, { ...context, signal: new AbortController().signal });
  try {
    if (own === '') await steady.command('CONFIG', 'SET', 'masterauth', password);
    return await use(password, steady);
  } finally {
    if (own === '') await steady.command('CONFIG', 'SET', 'masterauth', '').catch(() => undefined);
    steady.close();
  }
}

async function putBack(
  before: DumpToFollow,
  error: unknown,
  meeting: Meeting,
  target: RedisTarget,
  context: Context,
): Promise<void> {
  const steady = { ...context, signal: new AbortController().signal };
  const session = await connect(target, steady);
  try {
    await followDump(before, target, meeting, session, steady, () => undefined);
  } catch (failed) {
    throw new BkpError(error instanceof BkpError ? error.code : 'target', reasonOf(error), {
      hint: `redis at ${serverOf(target)} may have lost its keys, since putting them back failed too (${reasonOf(failed)}): restore the safety snapshot`,
      cause: error,
    });
  } finally {
    session.close();
  }
}

/** A server that logs every command writes a new log after such a change; until then a crash would bring the old state back. */
async function rewritten(session: Session, context: Context): Promise<void> {
  for (;;) {
    const { fields } = await readInfo(session);
    const isBusy = fields.get('aof_rewrite_in_progress') === '1' || fields.get('aof_rewrite_scheduled') === '1';
    if (fields.get('aof_enabled') !== '1' || !isBusy) return;
    context.emit({ type: 'progress', subject: 'waiting for the append-only file', bytes: 0, totalBytes: null });
    await sleep(100);
    if (context.signal.aborted) return;
  }
}

/** Ends what a killed replacement left: a replica of a process that is gone. */
export async function endInterruptedFollowing(session: Session): Promise<void> {
  const { fields } = await readInfo(session);
  if (fields.get('role') !== 'slave' || !(await setting(session, 'masterauth')).startsWith(PASSWORD_PREFIX)) return;
  await session.command('REPLICAOF', 'NO', 'ONE');
  await session.command('CONFIG', 'SET', 'masterauth', '');
}
