import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { s3 } from '../../../src/engines/s3.ts';
import type { TargetOf } from '../../../src/engines/engine.ts';
import { adminOf, STORE, STORES, testBucket } from '../../repositories/s3/bucket.ts';
import { startProxy } from '../../repositories/s3/proxy.ts';
import { testContext } from '../../test-context.ts';
import { s3Fixture } from '../s3-fixture.ts';
import { incoming, newRepository, restore, SNAPSHOT, take, type Taken } from '../workbench.ts';

type Target = TargetOf<'s3'>;

async function bench(service: string = STORE) {
  const { bucket, endpoint = '', region = '', accessKeyId = '', secretAccessKey = '' } = await testBucket(service);
  const { context, folder } = await testContext();
  const admin = adminOf(service);
  const proxy = await startProxy(endpoint);
  const target: Target = {
    type: 's3',
    method: 'mirror',
    bucket,
    endpoint: proxy.endpoint,
    region,
    accessKeyId,
    secretAccessKey,
    prefix: 'from',
  };
  const repository = await newRepository(folder, context);
  return {
    target,
    context,
    repository,
    proxy,
    put: (name: string, Body: Buffer | string, more: object = {}) =>
      admin.putObject({ Bucket: bucket, Key: `from/${name}`, Body, ...more }),
    read: async (Key: string) => {
      const answer = await admin.getObject({ Bucket: bucket, Key });
      return { answer, body: Buffer.from((await answer.Body?.transformToByteArray()) ?? []) };
    },
    names: async (prefix: string): Promise<readonly string[]> =>
      ((await admin.listObjectsV2({ Bucket: bucket, Prefix: prefix })).Contents ?? []).map(({ Key = '' }) =>
        Key.slice(prefix.length),
      ),
    captured: (): Promise<Taken> => take(s3Fixture, target, repository, context),
  };
}

describe.each(STORES)('a mirror of %s', (service) => {
  test('brings back what belongs to an object, whatever it is called', async () => {
    const { put, read, names, captured, target, context } = await bench(service);
    const headers = {
      ContentType: 'application/x-odd; charset=latin1',
      CacheControl: 'no-store',
      Metadata: { one: '1', 'two-three': 'a=b; c' },
      Tagging: 'team=ops&odd=a%3Db%20c%2Bd',
    };
    const hostile = [
      'x//y',
      '../up',
      'a/../b',
      'folder/',
      'both',
      'both/below',
      'new\nline',
      'É',
      'é',
      'k'.repeat(1000),
    ];
    // Some stores keep objects as files and refuse some of these.
    for (const key of hostile)
      await put(key, Buffer.from(key.endsWith('/') ? '' : key), headers).catch(() => undefined);
    await put('large', randomBytes(9 * 1024 * 1024), headers);
    const there = await names('from/');
    const taken = await captured();
    expect(taken.facts).toMatchObject({ objects: there.length });
    await restore(s3Fixture, taken, { ...target, prefix: 'to' }, 'new', context);
    expect(await names('to/')).toEqual(there);
    for (const name of there) {
      const [was, is] = [await read(`from/${name}`), await read(`to/${name}`)];
      expect(is.body.equals(was.body)).toBe(true);
      for (const key of ['ContentType', 'CacheControl', 'Metadata', 'TagCount'] as const)
        expect(is.answer[key], `${name} ${key}`).toEqual(was.answer[key]);
    }
  });
});

describe('an object', () => {
  test('that is replaced while it is read is read again', async () => {
    const { put, captured, proxy, context } = await bench();
    await put('small', 'small');
    await put('large', randomBytes(9 * 1024 * 1024));
    let replacements = 1;
    const asked: string[] = [];
    proxy.meet(({ headers, path }) => {
      if (!path.endsWith('/from/large') || headers.range === 'bytes=0-4194303') return undefined;
      asked.push(headers.range ?? '');
      return replacements-- > 0 ? { kind: 'answer', status: 412, code: 'PreconditionFailed' } : undefined;
    });
    const taken = await captured();
    expect(taken.facts).toEqual({ objects: 2, bytes: 9 * 1024 * 1024 + 5 });
    expect(asked.length).toBeGreaterThan(2);
    expect((await s3.check(incoming(taken, context), context, {})).facts).toEqual(taken.facts);
  });

  test('that is replaced each time fails the capture', async () => {
    const { put, captured, proxy, repository } = await bench();
    await put('large', randomBytes(9 * 1024 * 1024));
    proxy.meet(({ headers, path }) =>
      path.endsWith('/from/large') && headers.range !== 'bytes=0-4194303'
        ? { kind: 'answer', status: 412, code: 'PreconditionFailed' }
        : undefined,
    );
    await expect(captured()).rejects.toMatchObject({
      code: 'target',
      message: expect.stringContaining('replaced') as unknown,
    });
    expect(await repository.list('', 'deep')).toEqual([]);
  });

  test('that goes while the bucket is read is left out', async () => {
    const { put, captured, proxy, repository } = await bench();
    for (const name of ['a', 'b', 'c']) await put(name, name);
    proxy.meet(({ method, path }) =>
      method === 'GET' && path.endsWith('/from/b') ? { kind: 'answer', status: 404, code: 'NoSuchKey' } : undefined,
    );
    expect((await captured()).facts).toEqual({ objects: 2, bytes: 2 });
    expect(await repository.list(`snapshots/test/${SNAPSHOT}/t/`, 'deep')).toHaveLength(2);
  });

  test('that is stored damaged, or not at all, keeps a restore from beginning', async () => {
    const { put, captured, target, context, repository, names } = await bench();
    for (const name of ['a', 'b', 'c']) await put(name, name);
    const taken = await captured();
    const stored = `snapshots/test/${SNAPSHOT}/t/b`;
    await repository.put(stored, Buffer.from('B'));
    const to = { ...target, prefix: 'to' };
    for (const mode of ['new', 'replace', 'merge'] as const)
      await expect(restore(s3Fixture, taken, to, mode, context)).rejects.toMatchObject({ code: 'integrity' });
    await repository.remove(stored);
    await expect(restore(s3Fixture, taken, to, 'replace', context)).rejects.toMatchObject({ code: 'integrity' });
    expect(await names('to/')).toEqual([]);
    await expect(s3.check(incoming(taken, context), context, {})).rejects.toMatchObject({ code: 'integrity' });
  });
});
