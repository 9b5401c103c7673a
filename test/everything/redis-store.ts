import { createClient } from '@redis/client';
import { connectionOf } from '../services/connection.ts';
import { type RedisServer, startRedis } from '../services/redis.ts';
import { type Store, textOf } from './store.ts';

/** A Redis server of its own: one server is one target. */
export function redisStore(): Store {
  const server: RedisServer = startRedis(connectionOf('redis-7.0')['program'] ?? '');
  const { port, password } = server;
  const client = createClient({ RESP: 2, password, socket: { host: '127.0.0.1', port } });
  client.on('error', () => undefined);
  const connecting = client.connect();
  const send = async (...words: readonly string[]): Promise<unknown> => {
    await connecting;
    return client.sendCommand([...words]);
  };
  return {
    name: 'redis',
    target: { type: 'redis', host: '127.0.0.1', port, password: '${env:EVERYTHING_REDIS}' },
    env: { EVERYTHING_REDIS: password },
    isOneMoment: true,

    async seed() {
      await send('SET', 'text', 'ünï¢öde\n\0');
      await send('RPUSH', 'list', 'b', 'a', 'b');
      await send('SADD', 'set', '1', '2', 'three');
      await send('ZADD', 'sorted', '1.5', 'one', '-inf', 'two');
      await send('HSET', 'hash', 'field', 'value', '', '');
      await send('XADD', 'stream', '1-1', 'a', '1');
      await send('XGROUP', 'CREATE', 'stream', 'readers', '0');
      await send('XREADGROUP', 'GROUP', 'readers', 'me', 'STREAMS', 'stream', '>');
      await send('SET', 'mortal', 'x', 'PXAT', '4102444800000');
      await send(
        'FUNCTION',
        'LOAD',
        'REPLACE',
        "#!lua name=own\nredis.register_function('answer', function() return 42 end)",
      );
    },
    // Of both keys, or of none.
    async write(n) {
      await connecting;
      await client.multi().set(`header:${n}`, `${n}`).set(`body:${n}`, textOf(n)).exec();
    },
    async read() {
      const keys = ((await send('KEYS', '*')) as readonly string[]).toSorted();
      const written = keys.flatMap((key) => /^header:(\d+)$/.exec(key)?.[1] ?? []);
      const bodies = await Promise.all(written.map((n) => send('GET', `body:${n}`)));
      const seeded = [
        await send('GET', 'text'),
        await send('LRANGE', 'list', '0', '-1'),
        ((await send('SMEMBERS', 'set')) as readonly string[]).toSorted(),
        await send('ZRANGE', 'sorted', '0', '-1', 'WITHSCORES'),
        await send('HGETALL', 'hash'),
        await send('XRANGE', 'stream', '-', '+'),
        await send('XPENDING', 'stream', 'readers'),
        await send('PEXPIRETIME', 'mortal'),
        await send('FCALL', 'answer', '0'),
        keys.filter((key) => !/^(?:header|body):/.test(key)),
      ];
      return {
        seeded: seeded.map((value) => JSON.stringify(value)),
        written: new Map(written.map((n, index) => [Number(n), String(bodies[index])])),
      };
    },
    async lose() {
      await send('FLUSHALL');
      await send('FUNCTION', 'FLUSH');
    },
    async close() {
      client.destroy();
      await server.stop();
    },
  };
}
