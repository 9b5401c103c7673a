import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { TargetOf } from '../../../src/engines/engine.ts';
import { s3 } from '../../../src/engines/s3.ts';
import { eachLimited } from '../../../src/each-limited.ts';
import { adminOf, STORE, STORES, testBucket, versionedBucket } from '../../repositories/s3/bucket.ts';
import { type Proxy, startProxy } from '../../repositories/s3/proxy.ts';
import { testContext } from '../../test-context.ts';
import { incoming, newRepository, restore, take, type Taken } from '../workbench.ts';
import { s3Fixture } from '../s3-fixture.ts';

type Target = TargetOf<'s3'>;

async function bench(service: string, made = testBucket(service)) {
  const { bucket, endpoint = '', region = '', accessKeyId = '', secretAccessKey = '' } = await made;
  const { context, folder } = await testContext();
  const target: Target = { type: 's3', bucket, endpoint, region, accessKeyId, secretAccessKey, prefix: 'from' };
  const repository = await newRepository(folder, context);
  const admin = adminOf(service);
  const put = (name: string, Body: Buffer | string, more: object = {}) =>
    admin.putObject({ Bucket: bucket, Key: `from/${name}`, Body, ...more });
  const read = async (key: string) => {
    const answer = await admin.getObject({ Bucket: bucket, Key: key });
    return { answer, body: Buffer.from((await answer.Body?.transformToByteArray()) ?? []) };
  };
  const names = async (prefix: string) =>
    ((await admin.listObjectsV2({ Bucket: bucket, Prefix: prefix })).Contents ?? []).map(({ Key = '' }) =>
      Key.slice(prefix.length),
    );
  const captured = (): Promise<Taken> => take(s3Fixture, target, repository, context);
  return { target, context, admin, put, read, names, captured, bucket, to: { ...target, prefix: 'to' } };
}

describe.each(STORES)('on %s', (service) => {
  test('everything that belongs to an object comes back', async () => {
    const { put, read, captured, to, admin, bucket, context } = await bench(service);
    const headers = {
      ContentType: 'application/x-odd; charset=latin1',
      ContentEncoding: 'gzip',
      ContentLanguage: 'de',
      ContentDisposition: 'attachment; filename="a b.txt"',
      CacheControl: 'no-store',
      Expires: new Date('2030-01-02T03:04:05Z'),
      Metadata: { one: '1', 'two-three': 'a=b; c' },
    };
    await put('a', 'text', { ...headers, Tagging: 'team=ops&odd=a%3Db%20c%2Bd' });
    await put('large', randomBytes(9 * 1024 * 1024), { ...headers, Tagging: 'size=large' });
    await put('bare', Buffer.alloc(0));
    const taken = await captured();
    expect(taken.facts).toEqual({ objects: 3, bytes: 4 + 9 * 1024 * 1024 });
    await restore(s3Fixture, taken, to, 'new', context);
    for (const name of ['a', 'large', 'bare']) {
      const [was, is] = [await read(`from/${name}`), await read(`to/${name}`)];
      expect(is.body.equals(was.body)).toBe(true);
      for (const key of [
        'ContentType',
        'ContentEncoding',
        'ContentLanguage',
        'ContentDisposition',
        'CacheControl',
        'ExpiresString',
        'Metadata',
        'StorageClass',
      ] as const)
        expect(is.answer[key], `${name} ${key}`).toEqual(was.answer[key]);
      const tags = async (Key: string) =>
        ((await admin.getObjectTagging({ Bucket: bucket, Key })).TagSet ?? [])
          .map((tag) => `${tag.Key}=${tag.Value}`)
          .toSorted();
      expect(await tags(`to/${name}`)).toEqual(await tags(`from/${name}`));
    }
  });

  test('more objects than one listing tells come back, whatever they are called', async () => {
    const { put, captured, to, context, names } = await bench(service);
    const odd = [
      'ünï¢öde 日本',
      'sp ace',
      '%41',
      'a+b&c=d',
      '<x>',
      '"q"',
      "it's",
      'dots...',
      'x'.repeat(200),
      'a\u2028b',
    ];
    const keys = [...odd, ...Array.from({ length: 1100 }, (_, n) => `many/${n}`)];
    await eachLimited(keys, 8, (key) => put(key, key));
    const taken = await captured();
    expect(taken.facts).toMatchObject({ objects: keys.length });
    await restore(s3Fixture, taken, to, 'new', context);
    expect(await names('to/')).toEqual(await names('from/'));
    const again = await take(s3Fixture, to, taken.repository, context);
    expect(again.facts).toEqual(taken.facts);
  });

  test('keys that are no file names come back, where the store has them', async () => {
    const { put, captured, to, context, names } = await bench(service);
    const hostile = [
      'new\nline',
      'x//y',
      '../up',
      'a/../b',
      './here',
      'folder/',
      'k'.repeat(1000),
      'both',
      'both/below',
    ];
    for (const key of hostile) await put(key, key.endsWith('/') ? Buffer.alloc(0) : key).catch(() => undefined);
    const there = await names('from/');
    expect(there.length).toBeGreaterThan(0);
    const taken = await captured();
    expect(taken.facts).toMatchObject({ objects: there.length });
    await restore(s3Fixture, taken, to, 'new', context);
    expect(await names('to/')).toEqual(there);
  });

  test('replace takes away what was not captured, last; merge leaves it, and what was changed', async () => {
    const { put, captured, target, context, read, names, admin, bucket } = await bench(service);
    for (const name of ['a', 'b', 'c']) await put(name, name);
    const taken = await captured();
    await put('a', 'changed');
    await put('more', 'more');
    await admin.deleteObject({ Bucket: bucket, Key: 'from/c' });
    await restore(s3Fixture, taken, target, 'merge', context);
    expect(await names('from/')).toEqual(['a', 'b', 'c', 'more']);
    expect((await read('from/a')).body.toString()).toBe('changed');
    await restore(s3Fixture, taken, target, 'replace', context);
    expect(await names('from/')).toEqual(['a', 'b', 'c']);
    expect((await read('from/a')).body.toString()).toBe('a');
  });
});

describe('an object that', () => {
  async function meeting(fault: Parameters<Proxy['meet']>[0]) {
    const made = await bench(STORE);
    for (const name of ['a', 'b', 'c']) await made.put(name, name);
    await made.put('large', randomBytes(9 * 1024 * 1024));
    const proxy = await startProxy(made.target.endpoint ?? '');
    proxy.meet(fault);
    const behind = { ...made.target, endpoint: proxy.endpoint };
    const { folder } = await testContext();
    return { ...made, behind, repository: await newRepository(folder, made.context) };
  }

  test('goes while the bucket is read is left out, and told', async () => {
    const { behind, repository, context } = await meeting(({ method, path }) =>
      method === 'GET' && path.endsWith('/from/b') ? { kind: 'answer', status: 404, code: 'NoSuchKey' } : undefined,
    );
    const told: (readonly string[])[] = [];
    const engine: typeof s3 = {
      ...s3,
      capture: async (target, inner) => {
        const capture = await s3.capture(target, inner);
        const close = (): Promise<void> => (told.push(capture.warnings), capture.close());
        return { ...capture, close };
      },
    };
    const taken = await take({ ...s3Fixture, engine }, behind, repository, context);
    expect(taken.facts).toMatchObject({ objects: 3 });
    expect(told).toEqual([['removed while the bucket was read, and not in the snapshot: "b"']]);
  });

  test('is replaced while its ranges are read is read again', async () => {
    let replace = true;
    const later = randomBytes(8 * 1024 * 1024);
    const { behind, repository, context, put, read, to } = await meeting(({ headers, path }) => {
      if (!replace || !path.endsWith('/from/large') || headers['range'] === 'bytes=0-4194303') return undefined;
      replace = false;
      return {
        kind: 'do',
        run: async () => {
          await put('large', later);
          return { status: 412, etag: '' };
        },
      };
    });
    const taken = await take(s3Fixture, behind, repository, context);
    expect(replace).toBe(false);
    const facts = { objects: 4, bytes: 3 + later.length };
    expect(taken.facts).toEqual(facts);
    expect((await s3.check(incoming(taken, context), context, {})).facts).toEqual(facts);
    for (const mode of ['new', 'replace'] as const) await restore(s3Fixture, taken, to, mode, context);
    expect((await read('to/large')).body.equals(later)).toBe(true);
    const stored = taken.repository.localPath(taken.artifacts[0]?.key ?? '');
    const unpacked = await mkdtemp(join(context.workDir, 'unpacked-'));
    await promisify(execFile)('sh', ['-c', `zstd -dc '${stored}' | tar -x -C '${unpacked}' -f -`]);
    expect((await readFile(join(unpacked, 'large'))).equals(later)).toBe(true);
  });

  test('is replaced each time its ranges are read fails the capture', async () => {
    const { behind, repository, context } = await meeting(({ headers, path }) =>
      path.endsWith('/from/large') && headers['range'] !== 'bytes=0-4194303'
        ? { kind: 'answer', status: 412, code: 'PreconditionFailed' }
        : undefined,
    );
    const taking = take(s3Fixture, behind, repository, context);
    await expect(taking).rejects.toMatchObject({
      code: 'target',
      message: expect.stringContaining('replaced') as unknown,
    });
    expect(await repository.list('', 'deep')).toEqual([]);
  });

  test('comes only after a busy answer comes all the same', async () => {
    const { behind, repository, context } = await meeting(({ number }) =>
      number % 2 === 1 ? { kind: 'answer', status: 503, code: 'SlowDown' } : undefined,
    );
    expect((await take(s3Fixture, behind, repository, context)).facts).toMatchObject({ objects: 4 });
  });

  test('is cut on its way is read on where it was cut', async () => {
    let cuts = 4;
    const { behind, repository, context } = await meeting(({ path }) =>
      path.includes('/from/') && cuts-- > 0 ? { kind: 'cut-body', bytes: 100_000 } : undefined,
    );
    expect((await take(s3Fixture, behind, repository, context)).facts).toMatchObject({ objects: 4 });
  });
});

test('a bucket that keeps versions is read at one of them', async () => {
  const { put, captured, context } = await bench(STORE, versionedBucket('versions', STORE));
  await put('a', randomBytes(6 * 1024 * 1024));
  await put('a', randomBytes(5 * 1024 * 1024));
  const taken = await captured();
  expect(taken.facts).toEqual({ objects: 1, bytes: 5 * 1024 * 1024 });
  expect((await s3.check(incoming(taken, context), context, {})).facts).toEqual(taken.facts);
});

test('a replacement that is cut off says what is there now', async () => {
  const { put, captured, target, context, names } = await bench(STORE);
  for (const name of ['a', 'b', 'c']) await put(name, name);
  const taken = await captured();
  await put('more', 'more');
  const proxy = await startProxy(target.endpoint ?? '');
  proxy.meet(({ method, path }) =>
    method === 'DELETE' && path.endsWith('/from/more')
      ? { kind: 'answer', status: 403, code: 'AccessDenied' }
      : undefined,
  );
  const replacing = restore(s3Fixture, taken, { ...target, endpoint: proxy.endpoint }, 'replace', context);
  await expect(replacing).rejects.toMatchObject({
    code: 'target',
    hint: expect.stringContaining('restore again') as unknown,
  });
  await restore(s3Fixture, taken, target, 'replace', context);
  expect(await names('from/')).toEqual(['a', 'b', 'c']);
});
