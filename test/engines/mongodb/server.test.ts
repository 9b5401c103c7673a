import { BSON } from 'mongodb';
import { expect, onTestFinished, test } from 'vitest';
import { mkdir, chmod } from 'node:fs/promises';
import { join } from 'node:path';
import type { TargetOf } from '../../../src/engines/engine.ts';
import { mongodb } from '../../../src/engines/mongodb.ts';
import { startAnother } from '../../services/another-server.ts';
import { testContext } from '../../test-context.ts';
import { mongodbFixture } from '../mongodb-fixture.ts';
import { newRepository, restore, SNAPSHOT, take } from '../workbench.ts';
import { archiveBytes, type CollectionParts } from './archive-bytes.ts';
import { collectionNames, digestDatabase, inDatabase } from './client.ts';
import { SERVER, storeArchive } from './recorded.ts';

/** A server of its own: all of it is captured. */
async function ownServer() {
  const made = await testContext();
  const workDir = join(made.folder, 'server');
  await mkdir(workDir);
  for (const folder of [made.folder, workDir]) await chmod(folder, 0o755);
  const { connection, stop } = await startAnother(SERVER, workDir);
  onTestFinished(stop);
  const { host = '', port = '', user = '', password = '', tools = '' } = connection;
  const all: TargetOf<'mongodb'> = {
    type: 'mongodb',
    host,
    port: Number(port),
    user,
    password,
    tools,
    databases: 'all',
    jobs: 2,
  };
  const digests = async (): Promise<readonly string[]> => [
    await inDatabase(connection, 'shop', digestDatabase),
    await inDatabase(connection, 'wiki', digestDatabase),
  ];
  return { ...made, connection, all, digests };
}

test('a whole server comes back', async () => {
  const { all, connection, context, folder, digests } = await ownServer();
  await expect(mongodb.capture(all, context)).rejects.toMatchObject({ code: 'target' });
  for (const name of ['shop', 'wiki'])
    await inDatabase(connection, name, async (db) => {
      await db.collection('things').insertMany(Array.from({ length: 30 }, (_, n) => ({ n, of: name })));
      await db.collection('things').createIndex({ n: 1 }, { unique: true });
    });
  const before = await digests();
  const taken = await take(mongodbFixture, all, await newRepository(folder, context), context);
  expect(taken.facts).toMatchObject({ documents: { 'shop.things': 30, 'wiki.things': 30 } });
  expect(await mongodb.probe(all, context)).toMatchObject({ problems: [] });

  await inDatabase(connection, 'shop', (db) => db.dropDatabase());
  await expect(restore(mongodbFixture, taken, all, 'new', context)).rejects.toMatchObject({
    code: 'guard',
    message: expect.stringContaining('database wiki: it holds 1 collection') as unknown,
  });
  await inDatabase(connection, 'wiki', (db) => db.collection('things').deleteMany({ n: { $gt: 3 } }));
  const merged = await restore(mongodbFixture, taken, all, 'merge', context);
  expect(merged.restored).toMatchObject({ 'collection wiki.things': 26 });
  expect(await digests()).toEqual(before);

  await inDatabase(connection, 'wiki', (db) => db.collection('things').insertOne({ n: 99 }));
  const replaced = await restore(mongodbFixture, taken, all, 'replace', context);
  expect(replaced.keptOld.map(({ reference }) => reference)).toEqual(
    ['shop', 'wiki'].map((name) => `${name}/bkp-old-${SNAPSHOT}`),
  );
  expect(await digests()).toEqual(before);
  for (const old of replaced.keptOld) {
    expect(await mongodb.setAsideExists({ ...old, destination: all }, context)).toBe(true);
    await mongodb.removeSetAside({ ...old, destination: all }, context);
  }
  expect(await inDatabase(connection, 'wiki', (db) => collectionNames(db, true))).toEqual(['things']);

  const { databases: _, ...server } = all;
  await expect(restore(mongodbFixture, taken, { ...server, database: 'one' }, 'new', context)).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringContaining('2 databases into one') as unknown,
  });
});

test('an oplog is replayed by the tools, or nothing comes back', async () => {
  const { all, connection, context, folder, digests } = await ownServer();
  const things: CollectionParts = {
    database: 'shop',
    name: 'things',
    indexes: [{ v: 2, key: { _id: 1 }, name: '_id_' }],
    documents: [{ _id: 1 }],
  };
  const oplogOf = (...documents: readonly object[]): CollectionParts => ({ database: '', name: 'oplog', documents });
  const at = (i: number): BSON.Timestamp => new BSON.Timestamp({ t: 1_700_000_000, i });
  const noop = { ts: at(1), op: 'n', ns: '', o: { msg: 'nothing' } };
  const insert = { ts: at(2), op: 'i', ns: 'shop.things', o: { _id: 2 } };
  const whole = { ...all, oplog: true };
  const store = (oplog: CollectionParts) =>
    storeArchive(archiveBytes({ collections: [things, oplog] }), folder, context);

  const outcome = await restore(mongodbFixture, await store(oplogOf(noop)), whole, 'new', context);
  expect(outcome.facts).toMatchObject({ documents: { 'shop.things': 1 } });
  await inDatabase(connection, 'shop', (db) => db.dropDatabase());

  // FerretDB knows no `applyOps`.
  const failed = restore(mongodbFixture, await store(oplogOf(noop, insert)), whole, 'new', context);
  await expect(failed).rejects.toMatchObject({
    code: 'target',
    message: expect.stringContaining('cannot restore with mongorestore') as unknown,
  });
  expect(await digests()).toEqual(['absent', 'absent']);
});
