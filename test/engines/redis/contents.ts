import { createHash, randomBytes } from 'node:crypto';
import type { TargetOf } from '../../../src/engines/engine.ts';
import { ask, type Words } from './ask.ts';

type Target = TargetOf<'redis'>;

/** Text of more than 20 letters, which dumps pack. */
const LONG = 'packed '.repeat(40);
const LIBRARY: string = `#!lua name=orders\nredis.register_function('total', function() return 7 end)\n-- ${LONG}`;
const LATER: string = '4102444800000';

/** Every type in its small and its large form, two databases, times to live, odd names, a function. */
export const SMALL: readonly Words[] = [
  ['SET', 'event:13', 'thirteen'],
  ['HSET', 'issues', 'first', '1', 'second', LONG],
  ['SET', Buffer.from([0, 255, 10, 13, 34]), randomOf(3, 50)],
  ['SET', '', 'empty name'],
  ['SET', 'number', '1234567'],
  ['SET', 'small number', '-12'],
  ['SET', LONG, LONG],
  ['SET', 'session', 'x', 'PXAT', LATER],
  ['RPUSH', 'list', 'a', '2', LONG],
  ['RPUSH', 'long list', ...Array.from({ length: 3000 }, (_, index) => `item ${index}`)],
  ['SADD', 'numbers', '1', '2', '70000'],
  ['SADD', 'set', 'a', 'b'],
  ['SADD', 'large set', ...Array.from({ length: 600 }, (_, index) => `member ${index}`)],
  ['ZADD', 'ranks', '1.5', 'a', '-inf', 'b', '+inf', 'c'],
  ['ZADD', 'large ranks', ...Array.from({ length: 600 }, (_, index) => [`${index}.25`, `m${index}`]).flat()],
  ['HSET', 'large hash', ...Array.from({ length: 1200 }, (_, index) => `f${index}`)],
  ['PFADD', 'visitors', 'a', 'b', 'c'],
  ['GEOADD', 'places', '13.361389', '38.115556', 'Palermo'],
  ['SETBIT', 'bits', '1000', '1'],
  ['XADD', 'stream', '1-1', 'field', 'value'],
  ['XADD', 'stream', '2-1', 'field', LONG],
  ['XGROUP', 'CREATE', 'stream', 'group', '0'],
  ['XREADGROUP', 'GROUP', 'group', 'consumer', 'COUNT', '1', 'STREAMS', 'stream', '>'],
  ['XGROUP', 'CREATE', 'stream', 'idle', '$'],
  ['FUNCTION', 'LOAD', LIBRARY],
  ['SELECT', '3'],
  ['SET', 'other', 'database', 'PXAT', LATER],
  ['SET', 'event:13', 'of database 3'],
];

/** Some megabytes that hardly compress. */
export const LARGE: readonly Words[] = [
  ...SMALL,
  ['SELECT', '0'],
  ...Array.from({ length: 40 }, (_, index) => ['SET', `blob ${index}`, randomBytes(300_000)]),
];

/** The same bytes each time. */
function randomOf(seed: number, bytes: number): Buffer {
  return Buffer.concat(
    Array.from({ length: Math.ceil(bytes / 64) }, (_, index) =>
      createHash('sha512').update(`${seed} ${index}`).digest(),
    ),
  ).subarray(0, bytes);
}

/** Equal for equal data: every key's content by the server itself, its time to live, groups of streams, functions. */
export async function digestOf(target: Target): Promise<string> {
  const hash = createHash('sha256');
  const [digest, databases] = await ask(target, ['DEBUG', 'DIGEST'], ['INFO', 'keyspace']);
  hash.update(String(digest));
  for (const [, database = ''] of String(databases).matchAll(/^db(\d+):/gm)) {
    const [, keys] = (await ask(target, ['SELECT', database], ['KEYS', '*'])) as [unknown, readonly Buffer[]];
    const sorted = [...keys].toSorted((a, b) => a.compare(b));
    const times = await ask(target, ['SELECT', database], ...sorted.map((key) => ['PEXPIRETIME', key]));
    const types = await ask(target, ['SELECT', database], ...sorted.map((key) => ['TYPE', key]));
    hash.update(JSON.stringify([database, sorted.map((key) => key.toString('hex')), times, types]));
    const streams = sorted.filter((_, index) => String(types[index + 1]) === 'stream');
    hash.update(
      JSON.stringify(
        await ask(target, ['SELECT', database], ...streams.map((key) => ['XINFO', 'STREAM', key, 'FULL'])),
      ),
    );
  }
  hash.update(JSON.stringify(await ask(target, ['FUNCTION', 'LIST', 'WITHCODE'])));
  return hash.digest('hex');
}
