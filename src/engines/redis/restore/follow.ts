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
 * Resolves when it follows nobody any more. `onFlush` is called before the server drops what it has: until then a failure
 * leaves it as it was.
 */
export async function followDump(
  dump: DumpToFollow,
  target: RedisTarget,
  { place, password, flushesFirst }: Meeting,
  session: Session,
  context: Context,
  onFlush: () => void,
): Promise<void> {
  const primary = await openPrimary({ address: place.bind, port: place.port }, password);
  try {
    await session.command('REPLICAOF', place.host, String(primary.port));
    const socket = await reached(primary, `${place.host}:${primary.port}`, target, context);
    await Promise.race([sendDump(dump, socket, target, context, flushesFirst, onFlush), primary.lost]);
    await Promise.race([untilLinked(session, context), primary.lost]);
  } finally {
    await session.command('REPLICAOF', 'NO', 'ONE').catch(() => undefined);
    primary.close();
  }
}

/** How a server finds us and proves itself. */
export interface Meeting {
  readonly place: MeetingPlace;
  readonly password: string;
  /** The server drops what it has before it takes in the new, not after (`repl-diskless-load flush-before-load`). */
  readonly flushesFirst: boolean;
}

export interface MeetingPlace {
  readonly host: string;
  /** Zero for any that is free. */
  readonly port: number;
  /** The own address to listen at; all of them where it is not given. */
  readonly bind: string | undefined;
}

/** Where the server reaches this machine: as the policy says, else where this machine's own connection to it begins. */
export async function meetingPlace(target: RedisTarget, context: Context): Promise<MeetingPlace> {
  const [, given, port] = /^(.*?)(?::(\d+))?$/.exec(target.reachableAt ?? '') ?? [];
  if (given !== undefined && given !== '')
    return seen({ host: given, port: Number(port ?? 0), bind: undefined }, target);
  const wire = await openWire(target, context);
  const own = wire.socket.localAddress?.replace(/^::ffff:/, '') ?? '127.0.0.1';
  wire.close();
  return seen({ host: own, port: 0, bind: own }, target);
}

const HERE = ['127.0.0.1', '::1', 'localhost'];

/** Servers follow without encryption unless they are told otherwise, and then they are not let in by us. */
function seen(place: MeetingPlace, target: RedisTarget): MeetingPlace {
  if ((target.tls ?? 'disable') === 'disable' || HERE.includes(place.host)) return place;
  throw targetError(
    `cannot replace redis at ${serverOf(target)}: its data would go there unencrypted, and \`tls\` is wanted`,
    { hint: 'restore into another server with mode `new`, or with `method: file`' },
  );
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
  flushesFirst: boolean,
  onFlush: () => void,
): Promise<void> {
  let held = Buffer.alloc(0);
  let sent = 0;
  const write = async (piece: Buffer): Promise<void> => {
    sent += piece.length;
    if (!socket.write(piece) && !socket.destroyed) await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
    context.emit({ type: 'progress', subject: `sending to ${serverOf(target)}`, bytes: sent, totalBytes: bytes });
  };
  if (flushesFirst) onFlush();
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
  onFlush();
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
