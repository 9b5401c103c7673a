import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { readdirSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { mongodb } from '../../../src/engines/mongodb.ts';
import { judgeRestore } from '../../../src/engines/mongodb/restore/fill.ts';
import { connectionOf } from '../../services/connection.ts';
import { testContext } from '../../test-context.ts';
import { expectNothingLeft } from '../conformance-round-trip.ts';
import { mongodbFixture } from '../mongodb-fixture.ts';
import { newRepository, restore, take } from '../workbench.ts';
import { archiveBytes, type CollectionParts } from './archive-bytes.ts';
import { collectionNames, inDatabase } from './client.ts';
import { SERVER, storeArchive, targetOf } from './recorded.ts';

const ORDERS: CollectionParts = {
  database: 'shop',
  name: 'orders',
  indexes: [{ v: 2, key: { _id: 1 }, name: '_id_' }],
  documents: [{ _id: 1 }, { _id: 2 }],
};
const good = archiveBytes({ collections: [ORDERS] });

/** A target whose tools are scripts: they write down how they were called, and do what is told. */
async function scripted(dump: string, fill = 'cat >/dev/null') {
  const made = await testContext();
  const tools = join(made.folder, 'tools');
  await mkdir(tools);
  await writeFile(join(made.folder, 'good.archive'), good);
  for (const [name, body] of Object.entries({ mongodump: dump, mongorestore: fill })) {
    const script = `#!/bin/sh
case "$1" in --version) echo "${name} version: 100.10.0"; exit 0;; esac
for one in "$@"; do case "$one" in --config=*) config=\${one#--config=};; esac; done
printf '%s\\n' "$@" >> '${made.folder}/called'; env >> '${made.folder}/environment'
cp "$config" '${made.folder}/config'; stat -c %a "$config" > '${made.folder}/mode'
cd '${made.folder}'
${body}
`;
    await writeFile(join(tools, name), script);
    await chmod(join(tools, name), 0o755);
  }
  const database = `shop_${randomBytes(4).toString('hex')}`;
  const inShop: <T>(act: Parameters<typeof inDatabase<T>>[2]) => Promise<T> = (act) =>
    inDatabase(connectionOf(SERVER), database, act);
  onTestFinished(async () => void (await inShop((db) => db.dropDatabase())));
  return { ...made, target: { ...targetOf(database), tools }, inShop };
}

const GOOD = 'cat good.archive';

describe('mongodump', () => {
  const capture = async (dump: string) => {
    const bench = await scripted(dump);
    await bench.inShop((db) => db.createCollection('orders'));
    const repository = await newRepository(bench.folder, bench.context);
    const result = take(mongodbFixture, bench.target, repository, bench.context);
    return { ...bench, repository, result };
  };

  test('is given everything that opens a server by a file of our own', async () => {
    const { result, folder, target, context } = await capture(GOOD);
    expect((await result).facts).toMatchObject({ documents: { 'shop.orders': 2 } });
    const { password = '' } = target;
    expect(await readFile(join(folder, 'config'), 'utf8')).toContain(`:${password}@`);
    expect((await readFile(join(folder, 'mode'), 'utf8')).trim()).toBe('600');
    const said =
      (await readFile(join(folder, 'called'), 'utf8')) + (await readFile(join(folder, 'environment'), 'utf8'));
    expect(said).toContain(`--db=${target.database}`);
    expect(said).toContain('--excludeCollectionsWithPrefix=bkp-old-');
    expect(said).not.toContain(password);
    await expectNothingLeft(context);
  });

  test.each([
    ['fails after its work', `${GOOD}; echo '2026-11-19T02:00:00.000+0000	Failed: no room' >&2; exit 1`, 'no room'],
    ['is killed', `head -c 300 good.archive; kill -9 $$`, 'SIGKILL'],
    ['ends well with half of it', 'head -c 300 good.archive', 'it is cut'],
    ['ends well and ends inside a collection', `head -c ${good.length - 60} good.archive`, 'it is cut'],
    ['ends well with other bytes', `sed 's/_id/_iD/3' good.archive`, 'it is damaged'],
    ['writes nothing', 'true', 'it is cut in its header'],
  ])('that %s leaves no snapshot', async (_, dump, reason) => {
    const { result, repository, context } = await capture(dump);
    await expect(result).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:target|tool|integrity)$/) as unknown,
      message: expect.stringContaining(reason) as unknown,
    });
    expect(await repository.list('', 'deep')).toEqual([]);
    await expectNothingLeft(context);
  });

  test('is asked for users, and for the oplog of a whole server', async () => {
    const { target, folder, context, inShop } = await scripted(GOOD);
    await inShop((db) => db.createCollection('orders'));
    await take(mongodbFixture, { ...target, users: true }, await newRepository(folder, context), context);
    expect(await readFile(join(folder, 'called'), 'utf8')).toContain('--dumpDbUsersAndRoles');
    const { database: _, ...server } = target;
    const all = await mongodb.capture({ ...server, databases: 'all' }, context);
    const [artifact] = all.artifacts;
    const argv = artifact?.source.kind === 'process' ? artifact.source.process.argv : [];
    expect(argv.filter((word) => /^--(?:db|oplog|exclude)/.test(word))).toEqual([]);
    await all.close();
    const refused = mongodb.capture({ ...server, databases: 'all', oplog: true }, context);
    await expect(refused).rejects.toMatchObject({ code: 'target', hint: 'leave `oplog` out' });
  });

  test('that is missing is told, with what helps', async () => {
    const { target, context, inShop } = await scripted(GOOD);
    await inShop((db) => db.createCollection('orders'));
    const { problems } = await mongodb.probe({ ...target, tools: '/nonexistent' }, context);
    expect(problems).toEqual([
      {
        message: 'cannot run mongodump: no such program',
        hint: 'install the MongoDB Database Tools, or name their folder under `tools`',
      },
    ]);
  });

  test('is not asked where the server lets nobody in, and no password is told', async () => {
    const { target, context } = await scripted(GOOD);
    const wrong = { ...target, password: 'not-the-password' };
    const { problems } = await mongodb.probe(wrong, context);
    expect(problems).toEqual([
      {
        message: expect.stringMatching(/^cannot connect to MongoDB on 127.0.0.1:\d+: /) as unknown,
        hint: 'correct `user`, `password` and `authDatabase`',
      },
    ]);
    expect(JSON.stringify(problems)).not.toContain('not-the-password');
  });
});

describe('mongorestore', () => {
  test.each([
    [
      'failures at a good end',
      "echo '0 document(s) restored successfully. 2 document(s) failed to restore.' >&2",
      '2 documents failed to restore',
    ],
    ['no counts', 'true', 'it did not say how many documents it restored'],
    [
      'values of documents',
      `echo 'Failed: shop.orders: E11000 duplicate key error dup key: { mail: "anna@example.org" }' >&2; exit 1`,
      'E11000 duplicate key error dup key',
    ],
    [
      'success without any',
      "echo '2 document(s) restored successfully. 0 document(s) failed to restore.' >&2",
      'what came back is not what was captured',
    ],
  ])('that tells %s has failed', async (_, said, reason) => {
    const { target, context, folder, inShop } = await scripted(GOOD, `cat >/dev/null; ${said}`);
    const taken = await storeArchive(good, folder, context);
    const error: unknown = await restore(mongodbFixture, taken, target, 'new', context).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ message: expect.stringContaining(reason) as unknown });
    expect(String(error)).not.toContain('anna');
    expect(await inShop((db) => collectionNames(db, true))).toEqual([]);
    expect(readdirSync(context.workDir)).toEqual([]);
  });

  test('is judged by its last line', () => {
    const end = { exitCode: 0, signal: null, stopped: false };
    const judged = (stderr: string): unknown => judgeRestore({ ...end, stderr });
    expect(judged('x\n12 document(s) restored successfully. 0 document(s) failed to restore.')).toMatchObject({
      verdict: 'ok',
    });
    expect(judged('12 document(s) restored successfully. 1 document(s) failed to restore.')).toMatchObject({
      verdict: 'failed',
      reason: '1 document failed to restore',
    });
    expect(judgeRestore({ ...end, exitCode: 1, stderr: 'Failed: (Unauthorized) not authorized on shop' })).toEqual({
      verdict: 'failed',
      reason: '(Unauthorized) not authorized on shop',
      hint: 'give the user the roles backup, restore and readWriteAnyDatabase of the database admin',
    });
  });
});
