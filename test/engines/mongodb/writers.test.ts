import type { Db } from 'mongodb';
import { randomBytes } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { connectionOf } from '../../services/connection.ts';
import { testContext } from '../../test-context.ts';
import { mongodbFixture } from '../mongodb-fixture.ts';
import { newRepository, restore, SNAPSHOT, take } from '../workbench.ts';
import { collectionNames, inDatabase } from './client.ts';
import { SERVER, targetOf } from './recorded.ts';

type Order = { readonly _id: number };

/** A client that writes one order after the other, and knows which of them the server took. */
async function startWriter(database: string, first: number) {
  const written: number[] = [];
  let isStopped = false;
  const isWriting = Promise.withResolvers<void>();
  const ended = inDatabase(connectionOf(SERVER), database, async (db) => {
    for (let n = first; !isStopped; n += 1) {
      await db
        .collection<Order>('orders')
        .insertOne({ _id: n })
        .then(
          () => written.push(n),
          () => undefined,
        );
      if (written.length === 20) isWriting.resolve();
    }
  });
  await isWriting.promise;
  return {
    written,
    async stop(): Promise<void> {
      isStopped = true;
      await ended;
    },
  };
}

const idsIn = async (db: Db, name: string): Promise<readonly number[]> =>
  (await db.collection<Order>(name).find({}).toArray()).map(({ _id }) => Number(_id));

test('a database is captured and replaced while clients write, and nothing they wrote is lost', async () => {
  const { context, folder } = await testContext();
  const name = `live_${randomBytes(4).toString('hex')}`;
  const target = targetOf(name);
  const inLive = <T>(act: (database: Db) => Promise<T>): Promise<T> => inDatabase(connectionOf(SERVER), name, act);
  onTestFinished(async () => void (await inLive((db) => db.dropDatabase())));
  const before = Array.from({ length: 2000 }, (_, n) => ({ _id: -1 - n }));
  await inLive((db) => db.collection<Order>('orders').insertMany(before));

  const writer = await startWriter(name, 0);
  const taken = await take(mongodbFixture, target, await newRepository(folder, context), context);
  const { facts } = await restore(mongodbFixture, taken, target, 'replace', context);
  await writer.stop();

  const captured = (taken.facts['documents'] as Readonly<Record<string, number>>)[`${name}.orders`] ?? 0;
  expect(captured).toBeGreaterThanOrEqual(before.length);
  expect(facts).toMatchObject({ documents: { [`${name}.orders`]: captured } });
  const names = await inLive((db) => collectionNames(db, true));
  expect(names.filter((one) => !one.startsWith(`bkp-old-${SNAPSHOT}-orders`))).toEqual(['orders']);
  const everywhere = new Set<number>();
  for (const one of names) for (const id of await inLive((db) => idsIn(db, one))) everywhere.add(id);
  expect(writer.written.filter((id) => !everywhere.has(id))).toEqual([]);
  expect(before.filter(({ _id }) => !everywhere.has(_id))).toEqual([]);
});
