import { BSON, type Db } from 'mongodb';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { RestoreMode, RestoreOutcome, TargetOf } from '../../../src/engines/engine.ts';
import { mongodb } from '../../../src/engines/mongodb.ts';
import { connectionOf } from '../../services/connection.ts';
import { testContext } from '../../test-context.ts';
import { mongodbFixture } from '../mongodb-fixture.ts';
import { incoming, newRepository, restore, SNAPSHOT, take, type Taken } from '../workbench.ts';
import { archiveBytes, type CollectionParts } from './archive-bytes.ts';
import { collectionNames, digestDatabase, inDatabase } from './client.ts';
import { SERVER, storeArchive, targetOf } from './recorded.ts';

type Numbered = { readonly _id: number | BSON.Double; readonly [key: string]: unknown };

async function bench(): Promise<{
  readonly name: string;
  readonly target: TargetOf<'mongodb'>;
  readonly inShop: <T>(act: (database: Db) => Promise<T>) => Promise<T>;
  readonly made: Awaited<ReturnType<typeof testContext>>;
}> {
  const name = `shop_${randomBytes(4).toString('hex')}`;
  const inShop = <T>(act: (database: Db) => Promise<T>): Promise<T> => inDatabase(connectionOf(SERVER), name, act);
  onTestFinished(async () => void (await inShop((db) => db.dropDatabase())));
  return { name, target: targetOf(name), inShop, made: await testContext() };
}

const fill = (db: Db, collection: string, documents: readonly Numbered[]): Promise<unknown> =>
  db.collection<Numbered>(collection).insertMany([...documents]);

describe('a merge', () => {
  async function conflicting() {
    const shop = await bench();
    const { context, folder } = shop.made;
    await shop.inShop(async (db) => {
      await fill(
        db,
        'people',
        [1, 2, 3, 4].map((n) => ({ _id: n, mail: `m${n}` })),
      );
      await db.collection('people').createIndex({ mail: 1 }, { unique: true });
    });
    const taken = await take(mongodbFixture, shop.target, await newRepository(folder, context), context);
    await shop.inShop(async (db) => {
      await db.collection<Numbered>('people').deleteMany({ _id: { $in: [2, 3] } });
      await fill(db, 'people', [{ _id: 9, mail: 'm3' }]);
    });
    const merge = (skipConflicts: boolean): Promise<RestoreOutcome> =>
      mongodb.restore(
        {
          destination: shop.target,
          mode: 'merge',
          artifacts: incoming(taken, context),
          paths: [],
          skipConflicts,
          noOwner: false,
          expectedFacts: taken.facts,
          snapshot: SNAPSHOT,
        },
        context,
      );
    return { ...shop, merge };
  }

  test('of what is unique and taken changes nothing, and names the document', async () => {
    const { merge, inShop } = await conflicting();
    const before = await inShop(digestDatabase);
    await expect(merge(false)).rejects.toMatchObject({
      code: 'target',
      message: expect.stringContaining('people: {"_id":{"$numberInt":"3"}} has what must be unique') as unknown,
      hint: 'nothing was changed; `--skip-conflicts` leaves these out',
    });
    expect(await inShop(digestDatabase)).toBe(before);
    expect(await inShop((db) => collectionNames(db, true))).toEqual(['people']);
  });

  test('leaves out what is unique and taken where it may', async () => {
    const { merge, inShop } = await conflicting();
    const outcome = await merge(true);
    expect(outcome.conflicts).toHaveLength(1);
    expect(Object.values(outcome.restored)).toEqual([1]);
    const ids = await inShop((db) => db.collection('people').find({}).sort({ _id: 1 }).toArray());
    expect(ids.map(({ _id }) => Number(_id))).toEqual([1, 2, 4, 9]);
  });

  test('knows an _id again whose kind of number changed, and brings indexes back', async () => {
    const { inShop, target, made } = await bench();
    const { context, folder } = made;
    await inShop(async (db) => {
      await fill(
        db,
        'counts',
        [1, 2].map((n) => ({ _id: n })),
      );
      await db.collection('counts').createIndex({ at: 1 });
    });
    const taken = await take(mongodbFixture, target, await newRepository(folder, context), context);
    await inShop(async (db) => {
      await db.dropCollection('counts');
      await fill(db, 'counts', [{ _id: new BSON.Double(1), mine: true }]);
    });
    await restore(mongodbFixture, taken, target, 'merge', context);
    const found = await inShop((db) => db.collection('counts').find({}).sort({ _id: 1 }).toArray());
    expect(found.map(({ _id, mine }) => [Number(_id), mine])).toEqual([
      [1, true],
      [2, undefined],
    ]);
    const indexes = await inShop((db) => db.collection('counts').listIndexes().toArray());
    expect(indexes.map((index) => String(index['name'])).toSorted()).toEqual(['_id_', 'at_1']);
  });
});

test('files of GridFS come back, beside what is there and in its place', async () => {
  const { inShop, target, made } = await bench();
  const { context, folder } = made;
  const content = randomBytes(700_000);
  await inShop(async (db) => {
    const chunks = Array.from({ length: 3 }, (_, n) => ({ n, data: content.subarray(n * 255_000, (n + 1) * 255_000) }));
    await db.collection('fs.files').insertOne({ filename: 'photo.jpg', length: content.length });
    await db.collection('fs.chunks').insertMany(chunks);
    await db.collection('fs.chunks').createIndex({ files_id: 1, n: 1 });
  });
  const before = await inShop(digestDatabase);
  const taken = await take(mongodbFixture, target, await newRepository(folder, context), context);
  await inShop((db) => db.collection('fs.chunks').deleteOne({ n: 1 }));
  await restore(mongodbFixture, taken, target, 'merge', context);
  expect(await inShop(digestDatabase)).toBe(before);
  await inShop((db) => db.dropCollection('fs.files'));
  const { keptOld } = await restore(mongodbFixture, taken, target, 'replace', context);
  expect(await inShop(digestDatabase)).toBe(before);
  expect(keptOld).toHaveLength(1);
});

test('a replacement tells what the snapshot lacks', async () => {
  const { inShop, target, name, made } = await bench();
  const { context, folder } = made;
  await inShop((db) => fill(db, 'orders', [{ _id: 1 }]));
  const taken = await take(mongodbFixture, target, await newRepository(folder, context), context);
  await inShop((db) => fill(db, 'later', [{ _id: 1 }]));
  const { warnings, keptOld } = await restore(mongodbFixture, taken, target, 'replace', context);
  expect(warnings).toEqual([`${name}: not in the snapshot, and set aside: later`]);
  expect(keptOld).toEqual([{ type: 'mongodb', reference: `${name}/bkp-old-${SNAPSHOT}` }]);
  expect(await inShop((db) => collectionNames(db, true))).toEqual([
    `bkp-old-${SNAPSHOT}-later`,
    `bkp-old-${SNAPSHOT}-orders`,
    'orders',
  ]);
});

test('an exchange that was interrupted is finished by the next restore', async () => {
  const { inShop, target, made } = await bench();
  const { context, folder } = made;
  await inShop((db) => fill(db, 'orders', [{ _id: 1 }]));
  const taken = await take(mongodbFixture, target, await newRepository(folder, context), context);
  const exchange = {
    side: 'bkp-new-k3x9q2aa0000-',
    old: `bkp-old-${SNAPSHOT}-`,
    away: [{ name: 'orders', view: null }],
    bring: [
      { name: 'orders', view: null },
      { name: 'items', view: null },
    ],
  };
  await inShop(async (db) => {
    await fill(db, `${exchange.side}orders`, [{ _id: 2 }]);
    await fill(db, `${exchange.side}items`, [{ _id: 3 }]);
    await fill(db, 'bkp-new-k3x9q2aa1111-left', [{ _id: 1 }]);
    await db.renameCollection('orders', `${exchange.old}orders`);
    await db
      .collection<{ _id: string; text: string }>('bkp-journal')
      .insertOne({ _id: 'exchange', text: JSON.stringify(exchange) });
  });
  await expect(restore(mongodbFixture, taken, target, 'new', context)).rejects.toMatchObject({ code: 'guard' });
  expect(await inShop((db) => collectionNames(db, true))).toEqual([`${exchange.old}orders`, 'items', 'orders']);
  expect(Number((await inShop((db) => db.collection('orders').findOne({})))?._id)).toBe(2);
});

test('an exchange that fails half-way is taken back', async () => {
  const { inShop, target, made } = await bench();
  const { context, folder } = made;
  await inShop((db) => fill(db, 'orders', [{ _id: 1 }]));
  const taken = await take(mongodbFixture, target, await newRepository(folder, context), context);
  // Short enough for a namespace, and too long for this server with what a restore puts before it.
  const long = 'z'.repeat(195);
  await inShop(async (db) => {
    await fill(db, 'aside', [{ _id: 1 }]);
    await fill(db, 'orders', [{ _id: 2 }]);
    await fill(db, long, [{ _id: 1 }]);
  });
  const before = await inShop(digestDatabase);
  await expect(restore(mongodbFixture, taken, target, 'replace', context)).rejects.toMatchObject({
    code: 'target',
    message: expect.stringContaining('Full namespace must not exceed 235 bytes') as unknown,
  });
  expect(await inShop(digestDatabase)).toBe(before);
  expect(await inShop((db) => collectionNames(db, true))).toEqual(['aside', 'orders', long]);
});

test('functions of the server are left where they are, and told', async () => {
  const { inShop, target, made } = await bench();
  const orders: CollectionParts = {
    database: 'shop',
    name: 'orders',
    indexes: [{ v: 2, key: { _id: 1 }, name: '_id_' }],
    documents: [{ _id: 1 }],
  };
  const functions = { ...orders, name: 'system.js' };
  const bytes = archiveBytes({ collections: [orders, functions] });
  const taken = await storeArchive(bytes, made.folder, made.context);
  const { warnings } = await restore(mongodbFixture, taken, target, 'new', made.context);
  expect(warnings).toEqual(['shop: functions that the server keeps (system.js) do not come back']);
  expect(await inShop((db) => collectionNames(db, true))).toEqual(['orders']);
});

test('indexes of every kind that the server knows come back', async () => {
  const { inShop, target, made } = await bench();
  const { context, folder } = made;
  await inShop(async (db) => {
    await fill(db, 'kinds', [{ _id: 1, text: 'some words', at: new Date(), a: { b: 1 } }]);
    const kinds = db.collection('kinds');
    await kinds.createIndex({ a: 1, 'a.b': -1 });
    await kinds.createIndex({ text: 'text' }, { weights: { text: 3 }, default_language: 'english' });
    await kinds.createIndex({ at: 1 }, { expireAfterSeconds: 86_400 });
    await kinds.createIndex({ b: 1 }, { unique: true, sparse: true });
    await kinds.createIndex({ c: 1 }, { partialFilterExpression: { c: { $gt: 5 } }, name: 'only some' });
    await kinds.createIndex({ d: 'hashed' });
  });
  const before = await inShop(digestDatabase);
  const taken = await take(mongodbFixture, target, await newRepository(folder, context), context);
  await inShop((db) => db.dropDatabase());
  await restore(mongodbFixture, taken, target, 'new', context);
  expect(await inShop(digestDatabase)).toBe(before);
  await inShop((db) => db.collection('kinds').dropIndex('only some'));
  await restore(mongodbFixture, taken, target, 'merge', context);
  expect(await inShop(digestDatabase)).toBe(before);
});

test("two restores of one database do not meet, and a dead one is in nobody's way", async () => {
  const { inShop, target, made } = await bench();
  const { context, folder } = made;
  await inShop((db) => fill(db, 'orders', [{ _id: 1 }]));
  const taken = await take(mongodbFixture, target, await newRepository(folder, context), context);
  const { name: host, bootId, pid } = context.host;
  const hold = (owner: object): Promise<unknown> =>
    inShop(async (db) => {
      await db.dropCollection('bkp-lock').catch(() => undefined);
      await db.collection<{ _id: string }>('bkp-lock').insertOne({ _id: 'restore', ...owner });
    });
  for (const owner of [
    { host, bootId, pid },
    { host: 'elsewhere', bootId: 'x', pid: 1 },
  ]) {
    await hold(owner);
    await expect(restore(mongodbFixture, taken, target, 'replace', context)).rejects.toMatchObject({
      code: 'guard',
      message: expect.stringContaining('another restore of it is under way') as unknown,
    });
    expect(await inShop((db) => collectionNames(db, true))).toEqual(['bkp-lock', 'orders']);
  }
  const gone = spawnSync('true').pid;
  await hold({ host, bootId, pid: gone });
  await restore(mongodbFixture, taken, target, 'replace', context);
  expect(await inShop((db) => collectionNames(db, true))).toEqual([`bkp-old-${SNAPSHOT}-orders`, 'orders']);
});

test('an archive of a newer server comes back with a warning', async () => {
  const { target, made } = await bench();
  const orders: CollectionParts = {
    database: 'shop',
    name: 'orders',
    indexes: [{ v: 2, key: { _id: 1 }, name: '_id_' }],
    documents: [{ _id: 1 }],
  };
  const bytes = archiveBytes({ serverVersion: '12.0.1', collections: [orders] });
  const taken = await storeArchive(bytes, made.folder, made.context);
  const { warnings } = await restore(mongodbFixture, taken, target, 'new', made.context);
  expect(warnings).toEqual([
    expect.stringMatching(/^the archive is of MongoDB 12\.0\.1, and the server is an older one: 7\./),
  ]);
});

describe('a server that does not keep what a collection was made with', () => {
  const cases: readonly (readonly [string, Partial<CollectionParts>])[] = [
    ['a validator', { options: { validator: { qty: { $gt: 0 } } } }],
    ['a fixed size', { options: { capped: true, size: 65_536 } }],
    ['a collation', { options: { collation: { locale: 'de', strength: 1 } } }],
    ['a view', { type: 'view', options: { viewOn: 'orders', pipeline: [] }, documents: [] }],
    ['a time series', { type: 'timeseries', options: { timeseries: { timeField: 'at' } }, documents: [] }],
  ];
  test.each(cases)('is found out: %s', async (_, parts) => {
    const { inShop, target, made } = await bench();
    const special: CollectionParts = { database: 'shop', name: 'special', documents: [{ _id: 1 }], ...parts };
    const orders: CollectionParts = {
      database: 'shop',
      name: 'orders',
      indexes: [{ v: 2, key: { _id: 1 }, name: '_id_' }],
      documents: [{ _id: 1 }],
    };
    const bytes = archiveBytes({ collections: [orders, special] });
    const taken = await storeArchive(bytes, made.folder, made.context);
    for (const facts of [taken.facts, {}]) {
      const failed = restore(mongodbFixture, { ...taken, facts }, target, 'new', made.context);
      await expect(failed).rejects.toMatchObject({ code: expect.stringMatching(/^(?:integrity|target)$/) as unknown });
      expect(await inShop((db) => collectionNames(db, true))).toEqual([]);
    }
  });
});

describe('what only a member of a replica set has', () => {
  const orders: CollectionParts = {
    database: 'shop',
    name: 'orders',
    indexes: [{ v: 2, key: { _id: 1 }, name: '_id_' }],
    documents: [{ _id: 1 }, { _id: 2 }],
  };
  const restoreRecorded = async (
    taken: Taken,
    destination: TargetOf<'mongodb'>,
    mode: RestoreMode,
    context: Parameters<typeof restore>[4],
  ): Promise<RestoreOutcome> => restore(mongodbFixture, taken, destination, mode, context);

  test('an oplog is left alone unless it is asked for', async () => {
    const { inShop, target, made } = await bench();
    const oplog: CollectionParts = { database: '', name: 'oplog', documents: [{ op: 'n', ns: '', o: {} }] };
    const taken = await storeArchive(archiveBytes({ collections: [orders, oplog] }), made.folder, made.context);
    expect(taken.facts).toMatchObject({ oplog: 1 });
    await restoreRecorded(taken, target, 'new', made.context);
    expect(await inShop(async (db) => Number(await db.collection('orders').countDocuments()))).toBe(2);
  });

  test('an oplog is replayed on nothing but an empty server', async () => {
    const { inShop, target, name, made } = await bench();
    const own = { ...orders, database: name };
    const oplog: CollectionParts = { database: '', name: 'oplog', documents: [{ op: 'n', ns: '', o: {} }] };
    const taken = await storeArchive(archiveBytes({ collections: [own, oplog] }), made.folder, made.context);
    const { database: _, ...server } = target;
    const whole = { ...server, databases: 'all', oplog: true } as const;
    await inShop((db) => fill(db, 'mine', [{ _id: 1 }]));
    for (const mode of ['replace', 'merge'] as const)
      await expect(restoreRecorded(taken, whole, mode, made.context)).rejects.toMatchObject({
        code: 'target',
        message: expect.stringContaining('an oplog is replayed on nothing else') as unknown,
      });
    expect(await inShop((db) => collectionNames(db, true))).toEqual(['mine']);
  });

  test('users that cannot come back are told, and the data does', async () => {
    const { inShop, target, made } = await bench();
    const users: CollectionParts[] = ['users', 'roles', 'version'].map((kind) => ({
      database: 'shop',
      name: `$admin.system.${kind}`,
      documents: kind === 'users' ? [{ _id: 'shop.app', user: 'app', db: 'shop' }] : [],
    }));
    const taken = await storeArchive(archiveBytes({ collections: [orders, ...users] }), made.folder, made.context);
    expect(taken.facts).toMatchObject({ users: 1 });
    const without = await restoreRecorded(taken, target, 'new', made.context);
    expect(without.conflicts).toEqual([]);
    const outcome = await restoreRecorded(taken, { ...target, users: true }, 'replace', made.context);
    expect(outcome.conflicts).toEqual([expect.stringMatching(/^users and roles are as they were: /)]);
    expect(await inShop((db) => collectionNames(db))).toEqual(['orders']);
  });

  test('a capture with its oplog is refused elsewhere', async () => {
    const { target, made } = await bench();
    const { database: _, ...server } = target;
    const { problems } = await mongodb.probe({ ...server, databases: 'all', oplog: true }, made.context);
    expect(problems.map(({ message }) => message)).toContain(
      'the server is no member of a replica set, so it has no oplog',
    );
  });
});
