import { hash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { OutgoingFolder } from '../../src/engines/engine.ts';
import { openDirectoryRepository } from '../../src/repositories/directory.ts';
import type { Repository } from '../../src/repositories/repository.ts';
import { NO_FILES, withEarlierFiles } from '../../src/reconcile/earlier-files.ts';
import { type FolderPlace, storeFiles } from '../../src/reconcile/store-folder.ts';
import { storeArtifact } from '../../src/streams/store-artifact.ts';
import { testContext } from '../test-context.ts';

const FOLDER = 'snapshots/app/20261119T020000Z-k3x9q2aa/t/';
const LIST = 'snapshots/app/20261119T020000Z-k3x9q2aa/t.files.ndjson';

/** Stores what `fill` puts into the folder of a directory repository, which `changed` may make another one. */
async function bench(changed: (repository: Repository) => Repository = (same) => same) {
  const { context, folder } = await testContext();
  const bare = openDirectoryRepository({ path: folder, dedupe: 'hardlink' }, context);
  const repository = changed(bare);
  const store = (fill: (folder: OutgoingFolder) => AsyncGenerator<string>, place: Partial<FolderPlace> = {}) =>
    storeFiles(
      { kind: 'folder', open: (into) => Readable.from(fill(into), { objectMode: false }) },
      { repository, folder: FOLDER, earlier: NO_FILES, ...place },
      (source) =>
        storeArtifact(
          { artifact: { source }, compression: { method: 'none', level: 0 }, threads: 1, repository, key: LIST },
          context,
        ),
      () => undefined,
    );
  const stored = (): Promise<readonly string[]> => repository.list('snapshots/', 'deep');
  return { context, repository, store, stored };
}

const line = (value: object): string => `${JSON.stringify(value)}\n`;

test('files and their list are stored, and counted', async () => {
  const { store, stored, repository } = await bench();
  const { files, bytes } = await store(async function* (folder) {
    yield line(await folder.put('a/B', Buffer.from('one'), 3));
    yield line(await folder.put('long', Readable.from([Buffer.from('tw'), Buffer.from('o')]), 3));
  });
  expect({ files, bytes }).toEqual({ files: 2, bytes: 6 });
  expect(await stored()).toEqual([LIST, `${FOLDER}a%2F%42`, `${FOLDER}long`].toSorted());
  const listed = (await repository.read(LIST)).toString().split('\n')[0] ?? '';
  expect(JSON.parse(listed)).toMatchObject({ key: 'a/B', entry: 'a%2F%42', bytes: 3 });
});

test('a file that has another size than its source said is not there', async () => {
  const { store, stored } = await bench();
  for (const content of [Buffer.from('four'), Readable.from([Buffer.from('four')])]) {
    const storing = store(async function* (folder) {
      yield line(await folder.put('a', content, 3));
    });
    await expect(storing).rejects.toMatchObject({ code: 'integrity' });
    expect(await stored()).toEqual([]);
  }
});

test('nothing comes any more once storing has failed, whatever was on its way', async () => {
  const gate = Promise.withResolvers<undefined>();
  const begun: string[] = [];
  const { store, stored } = await bench((repository) => ({
    ...repository,
    put: async (key, content, bytes) => {
      begun.push(key);
      if (key.endsWith('/slow')) await gate.promise;
      return repository.put(key, content, bytes);
    },
  }));
  let isThrough = false;
  const late: unknown[] = [];
  const storing = store(async function* (folder) {
    yield line({});
    const slow = folder.put('slow', Buffer.from('slow'), 4);
    slow.then(
      () => folder.put('later', Buffer.from('later'), 5).catch((error: unknown) => late.push(error)),
      () => undefined,
    );
    throw new Error('the source fails');
  }).finally(() => {
    isThrough = true;
  });
  storing.catch(() => undefined);
  while (!begun.some((key) => key.endsWith('/slow'))) await setImmediate();
  for (let turn = 0; turn < 50; turn++) await setImmediate();
  expect(isThrough).toBe(false);
  gate.resolve(undefined);
  await expect(storing).rejects.toMatchObject({ message: expect.stringContaining('the source fails') as unknown });
  expect(late).toHaveLength(1);
  expect(await stored()).toEqual([`${FOLDER}slow`]);
});

test('a file of an earlier snapshot is copied by the repository, unless it has another size there', async () => {
  const { store, repository } = await bench();
  const before = 'snapshots/app/20261118T020000Z-k3x9q2aa/t/';
  await repository.put(`${before}same`, Buffer.from('same'));
  await repository.put(`${before}cut`, Buffer.from('cu'));
  const earlier = { folder: before, find: async () => undefined };
  const kept: unknown[] = [];
  await store(
    async function* (folder) {
      for (const [entry, bytes] of [['same', 4] as const, ['cut', 3] as const, ['gone', 1] as const])
        kept.push(await folder.keep({ key: entry, entry, bytes, sha256: '' }));
      yield line({});
    },
    { earlier },
  );
  expect(kept).toEqual([{ key: 'same', entry: 'same', bytes: 4, sha256: '' }, undefined, undefined]);
  expect((await repository.read(`${FOLDER}same`)).toString()).toBe('same');
  expect(await repository.list(FOLDER, 'deep')).toEqual([`${FOLDER}same`]);
});

test('where the file system shares nothing a file is copied here, unless it is not what its list says', async () => {
  const { store, repository } = await bench((bare) => ({ ...bare, clone: async () => false }));
  const large = randomBytes(3 * 1024 * 1024);
  const before = 'snapshots/app/20261118T020000Z-k3x9q2aa/t/';
  const contents = { small: Buffer.from('small'), large, empty: Buffer.alloc(0) };
  for (const [name, content] of Object.entries(contents)) await repository.put(before + name, content);
  await repository.put(`${before}bad`, Buffer.from('BAD'));
  await repository.put(`${before}large-bad`, Buffer.from(large).fill(0, 0, 1));
  const listed = (key: string, content: Buffer) => ({
    key,
    entry: key,
    bytes: content.byteLength,
    sha256: hash('sha256', content),
  });
  const kept: string[] = [];
  await store(
    async function* (folder) {
      const files = [
        ...Object.entries(contents),
        ['bad', Buffer.from('bad')] as const,
        ['gone', Buffer.from('x')] as const,
      ];
      for (const [key, content] of [...files, ['large-bad', large] as const]) {
        const file = await folder.keep(listed(key, content));
        if (file !== undefined) kept.push(key);
      }
      yield line({});
    },
    { earlier: { folder: before, find: async () => undefined } },
  );
  expect(kept).toEqual(['small', 'large', 'empty']);
  expect(await repository.list(FOLDER, 'deep')).toEqual([`${FOLDER}empty`, `${FOLDER}large`, `${FOLDER}small`]);
  expect((await repository.read(`${FOLDER}large`)).equals(large)).toBe(true);
});

test('a store that copies nothing is soon not asked any more', async () => {
  let asked = 0;
  const { store, repository } = await bench((bare) => ({
    ...bare,
    clone: async () => (asked++, false),
    localPath: () => undefined,
  }));
  await repository.put('snapshots/app/20261118T020000Z-k3x9q2aa/t/a', Buffer.from('a'));
  const file = { key: 'a', entry: 'a', bytes: 1, sha256: '' };
  const earlier = { folder: 'snapshots/app/20261118T020000Z-k3x9q2aa/t/', find: async () => file };
  await store(
    async function* (folder) {
      for (let n = 0; n < 100; n++) {
        const found = await folder.earlier('a');
        if (found !== undefined) expect(await folder.keep(found)).toBeUndefined();
      }
      yield line({});
    },
    { earlier },
  );
  expect(asked).toBe(32);
});

test('an earlier list is read in its order, and not at all where it is damaged', async () => {
  const { context, repository, store } = await bench();
  const keys = ['B', 'a', 'a/b', 'ä', '\u{ff5e}', '\u{1f600}'];
  const { result, files, bytes } = await store(async function* (folder) {
    for (const key of keys) yield line(await folder.put(key, Buffer.from(key), Buffer.byteLength(key)));
    yield line({ objects: keys.length });
  });
  const { storedBytes, storedSha256, rawBytes } = result;
  const artifact = {
    key: 't.files.ndjson',
    name: '',
    format: 'list',
    compression: null,
    encryption: null,
    rawBytes,
    storedBytes,
    storedSha256,
    folder: { key: 't/', files, bytes },
  };
  const place = { repository, folder: FOLDER.slice(0, -2), artifact };
  const asked = ['B', 'C', 'a', 'a/b', 'z', 'ä', '\u{ff5e}', '\u{1f600}', '\u{1f601}', 'a'];
  const find = (): Promise<readonly boolean[]> =>
    withEarlierFiles(place, context, async (earlier) => {
      const found: boolean[] = [];
      for (const key of asked) found.push((await earlier.find(key)) !== undefined);
      return found;
    });
  expect(await find()).toEqual([true, false, true, true, false, true, true, true, false, false]);
  await repository.put(LIST, (await repository.read(LIST)).fill(32, 0, 1));
  expect(await find()).not.toContain(true);
});
