import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../../../context.ts';
import { abortReason, targetError, throwIfAborted } from '../../../errors.ts';
import type { IncomingArtifact } from '../../engine.ts';
import { type RedisTarget, serverOf } from '../server/connection.ts';
import { readInfo } from '../server/server-info.ts';
import type { Session } from '../server/session.ts';
import { openPrimary, type Primary } from '../wire/primary.ts';
import { openWire } from '../wire/wire.ts';

/** A dump that a server shall take in, and how long it is. */
export interface DumpToFollow {
  readonly artifact: Pick<IncomingArtifact, 'into'>;
  readonly bytes: number;
}

const REACH_MS = 60_000;
const LOOK_EVERY_MS = 100;

/**
 * Makes the server a replica of ours for as long as it takes in one dump, which then is all it has; functions too.
 * Resolves when it follows nobody any more. `onWhole` is called when its last byte is about to go: until then a failure
 * leaves the server as it was.
 */
export async function followDump(
  dump: DumpToFollow,
  target: RedisTarget,
  password: string,
  session: Session,
  context: Context,
  onWhole: () => void,
): Promise<void> {
  const place = await meetingPlace(target, context);
  const primary = await openPrimary({ address: place.bind, port: place.port }, password);
  try {
    await session.command('REPLICAOF', place.host, String(primary.port));
    const socket = await reached(primary, `${place.host}:${primary.port}`, target, context);
    await Promise.race([sendDump(dump, socket, target, context, onWhole), primary.lost]);
    await Promise.race([untilLinked(session, context), primary.lost]);
  } finally {
    await session.command('REPLICAOF', 'NO', 'ONE').catch(() => undefined);
    primary.close();
  }
}

/** Where the server reaches this machine: as the policy says, else where this machine's own connection to it begins. */
async function meetingPlace(
  target: RedisTarget,
  context: Context,
): Promise<{ readonly host: string; readonly port: number; readonly bind: string | undefined }> {
  const [, given, port] = /^(.*?)(?::(\d+))?$/.exec(target.reachableAt ?? '') ?? [];
  if (given !== undefined && given !== '') return { host: given, port: Number(port ?? 0), bind: undefined };
  const wire = await openWire(target, context);
  const own = wire.socket.localAddress?.replace(/^::ffff:/, '') ?? '127.0.0.1';
  wire.close();
  return { host: own, port: 0, bind: own };
}

async function reached(primary: Primary, place: string, target: RedisTarget, context: Context): Promise<Socket> {
  const patience = new AbortController();
  const signal = AbortSignal.any([patience.signal, context.signal]);
  try {
    return await Promise.race([
      primary.asked,
      sleep(REACH_MS, undefined, { signal }).then(() => {
        throw targetError(`cannot replace redis at ${serverOf(target)}: it did not reach this machine at ${place}`, {
          hint: 'let it through, or name another address of this machine with `reachableAt`',
        });
      }),
    ]);
  } catch (error) {
    throwIfAborted(context.signal);
    throw error;
  } finally {
    patience.abort();
  }
}

/** The last bytes are kept back until everything was read and found whole. */
async function sendDump(
  { artifact, bytes }: DumpToFollow,
  socket: Socket,
  target: RedisTarget,
  context: Context,
  onWhole: () => void,
): Promise<void> {
  let held = Buffer.alloc(0);
  let sent = 0;
  const write = async (piece: Buffer): Promise<void> => {
    sent += piece.length;
    if (!socket.write(piece) && !socket.destroyed) await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
    context.emit({ type: 'progress', subject: `sending to ${serverOf(target)}`, bytes: sent, totalBytes: bytes });
  };
  socket.write(`$${bytes}\r\n`);
  await artifact.into({
    kind: 'reader',
    async read(raw) {
      for await (const chunk of raw as AsyncIterable<Buffer>) {
        if (held.length > 0) await write(held);
        held = Buffer.from(chunk);
      }
    },
  });
  throwIfAborted(context.signal);
  if (sent + held.length !== bytes)
    throw targetError(`cannot replace redis at ${serverOf(target)}: the dump has changed`);
  onWhole();
  await write(held);
}

/** It loads what it got before it tells that it follows. */
async function untilLinked(session: Session, context: Context): Promise<void> {
  for (;;) {
    const { fields } = await readInfo(session);
    if (fields.get('master_link_status') === 'up' && fields.get('loading') === '0') return;
    await sleep(LOOK_EVERY_MS, undefined, { signal: context.signal }).catch(() => undefined);
    if (context.signal.aborted) throw abortReason(context.signal);
  }
}
