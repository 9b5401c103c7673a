import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { eachInOrder } from '../src/each-limited.ts';

async function* numbers(count: number, onTaken: (n: number) => void = () => undefined): AsyncGenerator<number> {
  for (let n = 0; n < count; n++) {
    onTaken(n);
    yield n;
  }
}

const collect = async <T>(items: AsyncIterable<T>): Promise<readonly T[]> => {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
};

test('results come in order, with no more under way than there is room for', async () => {
  let [now, most] = [0, 0];
  const work = async (n: number): Promise<number> => {
    most = Math.max(most, ++now);
    for (let turn = 10; turn > n % 10; turn--) await setImmediate();
    now--;
    return n;
  };
  const room = { items: 4, weight: Infinity, weigh: () => 1 };
  expect(await collect(eachInOrder(numbers(50), room, work))).toEqual(Array.from({ length: 50 }, (_, n) => n));
  expect(most).toBe(4);
  most = 0;
  await collect(eachInOrder(numbers(50), { items: 4, weight: 10, weigh: () => 20 }, work));
  expect(most).toBe(1);
});

test('an error ends it once all that was under way has settled, and nothing more is taken', async () => {
  const gate = Promise.withResolvers<undefined>();
  const taken: number[] = [];
  const settled: number[] = [];
  const source = numbers(50, (n) => taken.push(n));
  const work = async (n: number): Promise<number> => {
    if (n === 1) throw new Error('one');
    if (n > 1) await gate.promise;
    settled.push(n);
    return n;
  };
  const running = collect(eachInOrder(source, { items: 4, weight: 100, weigh: () => 1 }, work));
  const outcome = running.catch((error: unknown) => error);
  for (let turn = 0; turn < 20; turn++) await setImmediate();
  expect(settled).toEqual([0]);
  gate.resolve(undefined);
  expect(await outcome).toMatchObject({ message: 'one' });
  expect(settled.length).toBe(taken.length - 1);
  expect(taken.length).toBeLessThan(7);
  expect(await source.next()).toEqual({ done: true, value: undefined });
});
