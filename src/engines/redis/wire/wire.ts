import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Context } from '../../../context.ts';
import { abortReason, type BkpError, targetError, throwIfAborted } from '../../../errors.ts';
import { CONNECT_TIMEOUT_MS, placeOf, type RedisTarget, serverOf } from '../server/connection.ts';
import { explainRedisError } from '../server/explain-error.ts';
import { tlsOf } from '../server/tls.ts';
import { encodeCommand } from './encode.ts';

/** A bare connection for what no client library does: dumps, and values too large to hold. */
export interface Wire {
  readonly socket: Socket;
  /** Sends a command and waits for its one line. Throws `target` where that is an error. */
  ask(...words: readonly string[]): Promise<string>;
  send(...words: readonly string[]): void;
  /** The next line, without its end. */
  line(): Promise<string>;
  /** What ended the connection, in one sentence. */
  readonly broken: (error: unknown) => BkpError;
  /** Safe to call at any time, more than once. */
  readonly close: () => void;
}

/** Connects and says who we are. The connection ends with the context's signal. */
export async function openWire(target: RedisTarget, context: Context): Promise<Wire> {
  throwIfAborted(context.signal);
  const tls = tlsOf(target);
  const place = placeOf(target);
  const socket = tls === undefined ? createConnection(place) : connectTls({ ...place, ...tls });
  const stop = (): void => void socket.destroy(abortReason(context.signal));
  context.signal.addEventListener('abort', stop, { once: true });
  const close = (): void => {
    context.signal.removeEventListener('abort', stop);
    socket.destroy();
  };
  // Whoever reads or writes is told, too.
  socket.on('error', () => undefined);
  const broken = (error: unknown): BkpError =>
    context.signal.aborted
      ? abortReason(context.signal)
      : explainRedisError(`cannot talk to redis at ${serverOf(target)}`, error);
  const send = (...words: readonly string[]): void => void socket.write(encodeCommand(words));
  const line = async (): Promise<string> => {
    try {
      return await readLine(socket);
    } catch (error) {
      throw broken(error);
    }
  };
  const ask = async (...words: readonly string[]): Promise<string> => {
    send(...words);
    const answer = await line();
    if (answer.startsWith('-')) throw broken(new Error(answer.slice(1)));
    return answer;
  };
  try {
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => socket.destroy(targetError('it does not answer')));
    await once(socket, tls === undefined ? 'connect' : 'secureConnect').catch((error: unknown) => {
      throw broken(error);
    });
    socket.setTimeout(0);
    socket.setNoDelay();
    const { user, password } = target;
    if (password !== undefined) await ask('AUTH', ...(user === undefined ? [] : [user]), password);
    return { socket, ask, send, line, broken, close };
  } catch (error) {
    close();
    throw error;
  }
}

const MOST_OF_A_LINE = 64 * 1024;

/** Takes one line off the socket and leaves the rest there. */
async function readLine(socket: Socket): Promise<string> {
  let text = Buffer.alloc(0);
  for (;;) {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) {
      if (socket.destroyed || socket.readableEnded) throw socket.errored ?? new Error('it closed the connection');
      await readable(socket);
      continue;
    }
    const end = chunk.indexOf(0x0a);
    text = Buffer.concat([text, end < 0 ? chunk : chunk.subarray(0, end)]);
    if (end < 0 && text.length < MOST_OF_A_LINE) continue;
    if (end >= 0 && end + 1 < chunk.length) socket.unshift(chunk.subarray(end + 1));
    return text.toString().replace(/\r$/, '');
  }
}

const readable = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      for (const event of ['readable', 'end', 'close', 'error']) socket.off(event, done);
      resolve();
    };
    for (const event of ['readable', 'end', 'close', 'error']) socket.on(event, done);
  });
