import type { RedisClientOptions } from '@redis/client';
import type { Context } from '../../../context.ts';
import { abortReason, throwIfAborted } from '../../../errors.ts';
import { CONNECT_TIMEOUT_MS, placeOf, type RedisTarget, serverOf } from './connection.ts';
import { explainRedisError } from './explain-error.ts';
import { tlsOf } from './tls.ts';

export type Reply = string | number | null | readonly Reply[];

/** One connection for questions and single commands. */
export interface Session {
  /** Throws `target` with what the server said. */
  command(...words: readonly (string | Buffer)[]): Promise<Reply>;
  /** Safe to call at any time, more than once. */
  close(): void;
}

/** Connects to the server and says who we are. Ends with the context's signal. */
export async function connect(target: RedisTarget, context: Context): Promise<Session> {
  throwIfAborted(context.signal);
  // The library is large: memory that grows for it would stay.
  context.emit({ type: 'progress', subject: `connecting to ${serverOf(target)}`, bytes: 0, totalBytes: null });
  const { createClient } = await import('@redis/client');
  const client = createClient(optionsOf(target));
  // What is under way fails as well and tells it.
  client.on('error', () => undefined);
  const stop = (): void => client.destroy();
  const close = (): void => {
    context.signal.removeEventListener('abort', stop);
    if (client.isOpen) stop();
  };
  context.signal.addEventListener('abort', stop, { once: true });
  try {
    await client.connect();
    throwIfAborted(context.signal);
  } catch (error) {
    close();
    if (context.signal.aborted) throw abortReason(context.signal);
    throw explainRedisError(`cannot connect to redis at ${serverOf(target)}`, error);
  }
  return {
    async command(...words) {
      try {
        return (await client.sendCommand(words)) as Reply;
      } catch (error) {
        if (context.signal.aborted) throw abortReason(context.signal);
        throw explainRedisError(`cannot run ${words.slice(0, 2).map(String).join(' ')} on ${serverOf(target)}`, error);
      }
    },
    close,
  };
}

function optionsOf(target: RedisTarget): RedisClientOptions<{}, {}, {}, 2> {
  const { user, password } = target;
  const tls = tlsOf(target);
  const common = { connectTimeout: CONNECT_TIMEOUT_MS, reconnectStrategy: false } as const;
  return {
    RESP: 2,
    socket: { ...placeOf(target), ...common, ...(tls === undefined ? {} : { ...tls, tls: true }) },
    ...(user === undefined ? {} : { username: user }),
    ...(password === undefined ? {} : { password }),
  } as RedisClientOptions<{}, {}, {}, 2>;
}
