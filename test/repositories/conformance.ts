import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import type { Repository } from '../../src/repositories/repository.ts';

/** One place that is empty and prepared; `open` gives a new view of the same place. */
export interface RepositoryFixture {
  open(): Repository;
}

const text = (value: string): Buffer => Buffer.from(value);
const readText = async (repository: Repository, key: string): Promise<string> =>
  (await repository.read(key)).toString();

/** What every repository must do. `make` is called once per test and cleans up after it. */
export function testRepository(name: string, make: () => Promise<RepositoryFixture>): void {
  const opened = async (): Promise<Repository> => (await make()).open();

  describe(`repository ${name}`, () => {
    test('gives back what was put', async () => {
      const repository = await opened();
      expect(await repository.put('a/b/c.json', text('hello'))).toEqual({ bytes: 5 });
      expect(await readText(repository, 'a/b/c.json')).toBe('hello');
      expect((await buffer(await repository.open('a/b/c.json'))).toString()).toBe('hello');
      expect(await repository.stat('a/b/c.json')).toMatchObject({ bytes: 5 });
    });

    test('keeps zero bytes', async () => {
      const repository = await opened();
      expect(await repository.put('empty', Readable.from([]))).toEqual({ bytes: 0 });
      expect(await repository.create('also-empty', text(''))).toBe(true);
      expect(await repository.stat('empty')).toMatchObject({ bytes: 0 });
      expect((await repository.read('also-empty')).byteLength).toBe(0);
      expect((await buffer(await repository.open('empty'))).byteLength).toBe(0);
    });

    test('stores a long stream of uneven chunks unchanged', async () => {
      const repository = await opened();
      const content = randomBytes(5 * 1024 * 1024 + 7);
      const chunks = [0, 1, 70_000, 70_001, 3_000_000, content.length];
      const source = Readable.from(chunks.slice(1).map((end, index) => content.subarray(chunks[index], end)));
      expect(await repository.put('snapshots/x/big.bin', source)).toEqual({ bytes: content.length });
      expect((await buffer(await repository.open('snapshots/x/big.bin'))).equals(content)).toBe(true);
    });

    test('replaces an object and gives it another version', async () => {
      const repository = await opened();
      await repository.put('lease', text('one'));
      const before = await repository.stat('lease');
      await repository.put('lease', text('two'));
      expect(await readText(repository, 'lease')).toBe('two');
      expect((await repository.stat('lease'))?.version).not.toBe(before?.version);
    });

    test('a reader sees one whole object while it is replaced', async () => {
      const repository = await opened();
      const contents = ['a', 'b', 'c'].map((letter) => Buffer.alloc(300_000, letter));
      await repository.put('object', contents[0] ?? text(''));
      const writing = (async () => {
        for (let round = 0; round < 30; round++) await repository.put('object', contents[round % 3] ?? text(''));
      })();
      for (let round = 0; round < 60; round++) {
        const seen = await buffer(await repository.open('object'));
        expect(contents.some((content) => content.equals(seen))).toBe(true);
      }
      await writing;
    });

    test('clones an object into one of its own, or changes nothing', async () => {
      const repository = await opened();
      const content = randomBytes(200_000);
      await repository.put('s/one/a', content);
      await repository.put('s/two/taken', text('old'));
      for (const key of ['s/two/new', 's/two/taken']) {
        const before = (await repository.stat(key))?.version;
        if (!(await repository.clone('s/one/a', key))) {
          expect((await repository.stat(key))?.version).toBe(before);
          continue;
        }
        expect((await repository.read(key)).equals(content)).toBe(true);
      }
      const isCloned = (await repository.stat('s/two/new')) !== undefined;
      await repository.remove('s/one/a');
      if (isCloned) expect((await repository.read('s/two/new')).equals(content)).toBe(true);
      await repository.put('s/one/a', content);
      expect(await repository.clone('s/one/a', 's/two/size', content.byteLength)).toBe(isCloned);
      expect(await repository.clone('s/one/a', 's/two/other', content.byteLength + 1)).toBe(false);
      expect(await repository.clone('s/one/gone', 's/two/other')).toBe(false);
      expect(await repository.stat('s/two/other')).toBeUndefined();
      await expect(repository.clone('s/two/taken', '../out')).rejects.toMatchObject({ code: 'repository' });
    });

    test('shows nothing of an object whose source failed', async () => {
      const repository = await opened();
      await repository.put('kept', text('old'));
      const failure = new Error('producer died');
      const failing = (): Readable =>
        Readable.from(
          (function* () {
            yield randomBytes(2_000_000);
            throw failure;
          })(),
        );
      await expect(repository.put('kept', failing())).rejects.toBe(failure);
      await expect(repository.put('new/deep', failing())).rejects.toBe(failure);
      expect(await readText(repository, 'kept')).toBe('old');
      expect(await repository.list('', 'deep')).toEqual(['kept']);
    });

    test('shows nothing of an object whose source ended before its end', async () => {
      const repository = await opened();
      const cut = new Readable({ read: () => undefined });
      cut.push('half');
      setImmediate(() => cut.destroy());
      await expect(repository.put('cut', cut)).rejects.toThrow(/premature/i);
      expect(await repository.stat('cut')).toBeUndefined();
    });

    test('a source that failed before it was read does not end the process', async () => {
      const repository = await opened();
      const source = new Readable({ read: () => undefined });
      source.destroy(new Error('early'));
      await expect(repository.put('early', source)).rejects.toThrow('early');
    });

    test('creates only what is not there', async () => {
      const repository = await opened();
      expect(await repository.create('locks/a.1.json', text('first'))).toBe(true);
      expect(await repository.create('locks/a.1.json', text('second'))).toBe(false);
      expect(await readText(repository, 'locks/a.1.json')).toBe('first');
      await repository.remove('locks/a.1.json');
      expect(await repository.create('locks/a.1.json', text('third'))).toBe(true);
    });

    test('of many creators exactly one wins, with its whole content', async () => {
      const fixture = await make();
      const [left, right] = [fixture.open(), fixture.open()];
      if (!left.capabilities.exclusiveCreate) return;
      for (let round = 0; round < 20; round++) {
        const key = `manifests/kong/${round}.json`;
        const results = await Promise.all(
          Array.from({ length: 8 }, (_, racer) =>
            (racer % 2 === 0 ? left : right).create(key, Buffer.alloc(10_000, 97 + racer)),
          ),
        );
        expect(results.filter(Boolean)).toHaveLength(1);
        const winner = await left.read(key);
        expect(winner.equals(Buffer.alloc(10_000, 97 + results.indexOf(true)))).toBe(true);
      }
    });

    test('says what is not there', async () => {
      const repository = await opened();
      await repository.put('folder/object', text('x'));
      for (const key of ['absent', 'absent/deep', 'folder']) {
        await expect(repository.read(key)).rejects.toMatchObject({ code: 'not-found' });
        await expect(repository.open(key)).rejects.toMatchObject({ code: 'not-found' });
        expect(await repository.stat(key)).toBeUndefined();
        await repository.remove(key);
      }
      expect(await repository.list('absent/', 'deep')).toEqual([]);
      expect(await repository.list('', 'deep')).toEqual(['folder/object']);
    });

    test('lists sorted keys, deep and shallow', async () => {
      const repository = await opened();
      const keys = ['a-b/x', 'a/z', 'a/b/c', 'a/b-c', 'a', 'ab/y', 'b/é', 'b/A'].filter((key) => key !== 'a');
      for (const key of keys) await repository.put(key, text(key));
      expect(await repository.list('', 'deep')).toEqual(keys.toSorted());
      expect(await repository.list('', 'shallow')).toEqual(['a-b/', 'a/', 'ab/', 'b/']);
      expect(await repository.list('a/', 'deep')).toEqual(['a/b-c', 'a/b/c', 'a/z']);
      expect(await repository.list('a/', 'shallow')).toEqual(['a/b-c', 'a/b/', 'a/z']);
    });

    test('pages tell every key below a prefix once, also while what they told is removed', async () => {
      const repository = await opened();
      const keys = Array.from({ length: 20 }, (_, n) => `a/${n % 3}/${n}`);
      for (const key of [...keys, 'a-b', 'b/c']) await repository.put(key, text(key));
      const told: string[] = [];
      for await (const page of repository.pages('a/')) told.push(...page);
      expect(told.toSorted()).toEqual(keys.toSorted());
      for await (const page of repository.pages('a/')) for (const key of page) await repository.remove(key);
      expect(await repository.list('', 'deep')).toEqual(['a-b', 'b/c']);
      for await (const page of repository.pages('a/')) expect(page).toEqual([]);
    });

    test('listings that tell versions tell one for every object, and another once it is replaced', async () => {
      const repository = await opened();
      const listed = async (prefix: string): Promise<ReadonlyMap<string, string> | undefined> => {
        const objects = await repository.listVersions?.(prefix);
        return objects && new Map(objects.map(({ key, version }) => [key, version]));
      };
      for (const key of ['a/one', 'a/b/two', 'c']) await repository.put(key, text(key));
      const before = await listed('');
      if (before === undefined) return;
      expect([...before.keys()]).toEqual(await repository.list('', 'deep'));
      expect([...((await listed('a/')) ?? [])]).toEqual([...before].slice(0, 2));
      await repository.put('a/one', text('another'));
      const after = await listed('');
      const changed = [...before].flatMap(([key, version]) => (after?.get(key) === version ? [] : [key]));
      expect(changed).toEqual(['a/one']);
      expect([...before.values(), ...(after?.values() ?? [])]).not.toContain('');
    });

    test('what is replaced by version is replaced by one of two, and only as it was seen', async () => {
      const repository = await opened();
      if (repository.replace === undefined) return;
      const seen = async (): Promise<string | undefined> => (await repository.stat('index'))?.version;
      expect(await repository.replace('index', text('first'), undefined)).toBe(true);
      const first = await seen();
      expect(await repository.replace('index', text('second'), first)).toBe(true);
      if (repository.capabilities.exclusiveCreate) {
        expect(await repository.replace('index', text('late'), first)).toBe(false);
        expect(await repository.replace('index', text('late'), undefined)).toBe(false);
      }
      expect(String(await repository.read('index'))).toBe('second');
      await repository.remove('index');
      if (repository.capabilities.exclusiveCreate)
        expect(await repository.replace('index', text('after'), first)).toBe(false);
    });

    test('folders vanish with their last object', async () => {
      const repository = await opened();
      await repository.put('s/one/a', text('a'));
      await repository.put('s/one/b', text('b'));
      await repository.remove('s/one/a');
      expect(await repository.list('s/', 'shallow')).toEqual(['s/one/']);
      await repository.remove('s/one/b');
      expect(await repository.list('', 'shallow')).toEqual([]);
    });

    test('writers and removers of one folder do not disturb each other', async () => {
      const fixture = await make();
      const [left, right] = [fixture.open(), fixture.open()];
      const work = async (repository: Repository, name: string): Promise<void> => {
        for (let round = 0; round < 40; round++) {
          await repository.put(`deep/er/${name}`, text(name));
          await repository.remove(`deep/er/${name}`);
          expect(await repository.create(`deep/er/${name}`, text(name))).toBe(true);
          await repository.remove(`deep/er/${name}`);
        }
      };
      await Promise.all([work(left, 'left'), work(right, 'right')]);
      expect(await left.list('', 'deep')).toEqual([]);
    });

    test.each([
      '',
      '/',
      '/etc/passwd',
      '..',
      '../outside',
      'a/../../outside',
      'a/./b',
      'a//b',
      'a/',
      'a\\b',
      'a\0b',
      'a\nb',
      '.tmp/x',
      'a/.hidden',
      'x'.repeat(256),
      'a/'.repeat(600) + 'a',
      '\ud800',
    ])('refuses the key %j', async (key) => {
      const repository = await opened();
      const refused = { code: 'repository' };
      await expect(repository.put(key, text('x'))).rejects.toMatchObject(refused);
      await expect(repository.create(key, text('x'))).rejects.toMatchObject(refused);
      await expect(repository.read(key)).rejects.toMatchObject(refused);
      await expect(repository.open(key)).rejects.toMatchObject(refused);
      await expect(repository.stat(key)).rejects.toMatchObject(refused);
      await expect(repository.remove(key)).rejects.toMatchObject(refused);
      expect(() => repository.localPath(key)).toThrow(/cannot use the key/);
      if (!key.endsWith('/') && key !== '') await expect(repository.list(key, 'deep')).rejects.toMatchObject(refused);
      expect(await repository.list('', 'deep')).toEqual([]);
    });

    test('measures its free space, or says that it has no such number', async () => {
      const repository = await opened();
      const free = await repository.freeBytes();
      if (free !== undefined) expect(free).toBeGreaterThan(0);
      expect(await repository.sweep()).toBe(0);
    });
  });
}
