import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { S3Repository } from '../../../src/generated/policy.ts';
import type { Repository } from '../../../src/repositories/repository.ts';
import { openS3Repository } from '../../../src/repositories/s3.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { describeHost } from '../../../src/system/host.ts';
import { adminOf, objectsIn, STORE, testBucket, uploadsIn, versionedBucket } from './bucket.ts';
import { startProxy, type Passing, type Proxy } from './proxy.ts';

const edge = { clock: systemClock, host: describeHost() };
const open = (config: S3Repository): Repository => openS3Repository(config, edge, { retryMs: 1 });
const MIB = 1024 * 1024;
const large = randomBytes(20 * MIB + 17);
const streamOf = (content: Buffer): Readable =>
  Readable.from(
    Array.from({ length: Math.ceil(content.length / 100_000) }, (_, i) =>
      content.subarray(i * 100_000, (i + 1) * 100_000),
    ),
  );

interface Setting {
  readonly config: S3Repository;
  readonly proxy: Proxy;
  readonly repository: Repository;
}

async function setUp(made?: S3Repository): Promise<Setting> {
  const config = made ?? (await testBucket());
  const proxy = await startProxy(config.endpoint ?? '');
  return { config, proxy, repository: open({ ...config, endpoint: proxy.endpoint }) };
}

/** What a request is for, in a word. */
function phaseOf({ method, query, headers }: Passing): string {
  if (method === 'POST') return query.has('uploads') ? 'begin' : 'complete';
  if (method === 'PUT') return query.has('partNumber') ? 'part' : headers['if-none-match'] === '*' ? 'create' : 'put';
  if (method === 'GET') return query.has('list-type') ? 'list' : query.has('uploads') ? 'uploads' : 'get';
  return method.toLowerCase();
}

/** A fault for every other request of a phase. */
const everyOther = (phases: readonly string[]): ((passing: Passing) => boolean) => {
  const counts = new Map<string, number>();
  return (passing) => {
    const phase = phaseOf(passing);
    if (!phases.includes(phase)) return false;
    counts.set(phase, (counts.get(phase) ?? 0) + 1);
    return (counts.get(phase) ?? 0) % 2 === 1;
  };
};

const PHASES = ['begin', 'part', 'complete', 'head', 'put', 'get', 'list', 'delete', 'create'];

/** Everything that a run does, once. */
async function work(repository: Repository): Promise<void> {
  expect(await repository.put('large', streamOf(large))).toEqual({ bytes: large.length });
  expect((await buffer(await repository.open('large'))).equals(large)).toBe(true);
  expect(await repository.create('lease', Buffer.from('mine'))).toBe(true);
  expect(await repository.create('lease', Buffer.from('other'))).toBe(false);
  expect((await repository.read('lease')).toString()).toBe('mine');
  await repository.put('lease', Buffer.from('renewed'));
  expect(await repository.stat('lease')).toMatchObject({ bytes: 7 });
  expect(await repository.list('', 'deep')).toEqual(['large', 'lease']);
  await repository.remove('lease');
  expect(await repository.stat('lease')).toBeUndefined();
}

describe('a store that is troubled for a while', () => {
  test.each([
    [503, 'SlowDown'],
    [429, 'TooManyRequests'],
    [500, 'InternalError'],
  ])('%d %s to every other request: all goes well', async (status, code) => {
    const { config, proxy, repository } = await setUp();
    const isHit = everyOther(PHASES);
    proxy.meet((passing) => (isHit(passing) ? { kind: 'answer', status, code } : undefined));
    await work(repository);
    expect(await uploadsIn(config)).toEqual([]);
  });

  test.each(['cut-request', 'lose-answer'] as const)('%s in every phase: all goes well', async (kind) => {
    const { config, proxy, repository } = await setUp();
    const isHit = everyOther(PHASES);
    proxy.meet((passing) => (isHit(passing) ? { kind } : undefined));
    await work(repository);
    // An upload whose beginning was not answered has no name: `sweep` finds it.
    expect(await uploadsIn(config)).toEqual(kind === 'lose-answer' ? [`${config.prefix}/large`] : []);
  });

  test.each(['cut-body', 'short-body'] as const)('%s: a download goes on where it ended', async (kind) => {
    const { proxy, repository } = await setUp();
    await repository.put('large', streamOf(large));
    proxy.meet((passing) => (phaseOf(passing) === 'get' ? { kind, bytes: 3 * MIB } : undefined));
    expect((await buffer(await repository.open('large'))).equals(large)).toBe(true);
  });
});

describe('a listing that ends early', () => {
  const isListing = ({ method, query }: Passing): boolean =>
    method === 'GET' && (query.get('list-type') === '2' || query.has('versions'));

  test.each([
    ['cut-body', 'objects'],
    ['short-body', 'objects'],
    ['cut-body', 'versions'],
    ['short-body', 'versions'],
  ] as const)('%s: %s are asked for again', async (kind, what) => {
    const { proxy, repository } = await setUp(what === 'versions' ? await versionedBucket('versions') : undefined);
    const keys = Array.from({ length: 20 }, (_, index) => `s/one/${index + 10}`);
    for (const key of keys) await repository.put(key, Buffer.from('x'));
    let times = 2;
    proxy.meet((passing) => (isListing(passing) && times-- > 0 ? { kind, bytes: 1500 } : undefined));
    const listed = async (): Promise<readonly string[]> =>
      what === 'objects'
        ? repository.list('s/', 'deep')
        : ((await repository.versions?.list('s/')) ?? []).map(({ key }) => key);
    expect((await listed()).toSorted()).toEqual(keys);
    expect(times).toBeLessThan(1);
  });
});

describe('a store that does not recover', () => {
  const storms = [
    [{ kind: 'answer', status: 503, code: 'SlowDown' }, /slow down/, /later/],
    [{ kind: 'answer', status: 429, code: 'TooManyRequests' }, /slow down/, /later/],
    [{ kind: 'answer', status: 507, code: 'InsufficientStorage' }, /no space left/, /quota/],
    [{ kind: 'answer', status: 403, code: 'ExpiredToken' }, /expired/, /renew/],
    [{ kind: 'cut-request' }, /connection was cut/, /network/],
  ] as const;

  test.each(storms)('%j in any phase of an upload ends with a clear error', async (fault, reason, hint) => {
    for (const phase of ['begin', 'part', 'complete']) {
      const { config, proxy, repository } = await setUp();
      await repository.put('old', Buffer.from('old'));
      proxy.meet((passing) => (phaseOf(passing) === phase ? fault : undefined));
      const expected = {
        code: 'repository',
        message: expect.stringMatching(reason),
        hint: expect.stringMatching(hint),
      };
      await expect(repository.put('new/large', streamOf(large))).rejects.toMatchObject(expected);
      await expect(repository.put('old', streamOf(large))).rejects.toMatchObject(expected);
      expect(await objectsIn(config)).toEqual([`${config.prefix}/old`]);
      expect((await repository.read('old')).toString()).toBe('old');
      expect(await uploadsIn(config)).toEqual([]);
    }
  });

  test('credentials that expire in the middle of an upload leave nothing but what sweep removes', async () => {
    const { config, proxy, repository } = await setUp();
    proxy.meet((passing) => (passing.number > 4 ? { kind: 'answer', status: 400, code: 'ExpiredToken' } : undefined));
    await expect(repository.put('large', streamOf(large))).rejects.toMatchObject({
      message: expect.stringContaining('the credentials have expired'),
      hint: expect.stringContaining('renew'),
    });
    expect(await objectsIn(config)).toEqual([]);
    expect(await uploadsIn(config)).toEqual([`${config.prefix}/large`]);
    expect(await repository.list('', 'deep').catch((error: Error) => error.message)).toContain('have expired');
  });

  test('a download that is cut for good is an error of the stream', async () => {
    const { proxy, repository } = await setUp();
    await repository.put('large', streamOf(large));
    let gets = 0;
    proxy.meet((passing) => (phaseOf(passing) === 'get' && ++gets > 1 ? { kind: 'cut-body', bytes: 0 } : undefined));
    const stream = await repository.open('large');
    await expect(buffer(stream)).rejects.toMatchObject({ code: 'repository' });
  });

  test('a source that is replaced while it is read is an error, not a mixture', async () => {
    const { config, proxy, repository } = await setUp();
    await repository.put('large', streamOf(large));
    const other = open(config);
    let replacing: Promise<unknown> | undefined;
    const stream = await repository.open('large');
    replacing = other.put('large', streamOf(randomBytes(large.length)));
    await replacing;
    proxy.meet(() => undefined);
    await expect(buffer(stream)).rejects.toThrow(/it was replaced meanwhile/);
  });
});

describe('a store that keeps no promise', () => {
  /** Conditions are left out: signed anew, since they are part of the signature. */
  async function ignoring(): Promise<Setting> {
    const setting = await setUp();
    const { bucket: Bucket } = setting.config;
    setting.proxy.meet((passing) =>
      phaseOf(passing) === 'create'
        ? {
            kind: 'do',
            run: async (Body) => {
              const Key = passing.path.slice(Bucket.length + 2);
              const { ETag = '' } = await adminOf(STORE).putObject({ Bucket, Key, Body });
              return { status: 200, etag: ETag };
            },
          }
        : undefined,
    );
    return setting;
  }

  test('ignoring If-None-Match is found out with the first object, which is taken back', async () => {
    const { config, repository } = await ignoring();
    await expect(repository.create('bkp-repository.json', Buffer.from('{}'))).rejects.toMatchObject({
      message: expect.stringContaining('it ignores `If-None-Match`'),
      hint: expect.stringContaining('singleWriter'),
    });
    expect(await objectsIn(config)).toEqual([]);
  });

  test('a single writer may use it all the same', async () => {
    const { config, proxy } = await ignoring();
    const single = open({ ...config, endpoint: proxy.endpoint, singleWriter: true });
    expect(single.capabilities.exclusiveCreate).toBe(false);
    expect(await single.create('a', Buffer.from('first'))).toBe(true);
    expect(await single.create('a', Buffer.from('second'))).toBe(false);
    expect((await single.read('a')).toString()).toBe('first');
  });

  test('not knowing If-None-Match is told apart', async () => {
    const { proxy, repository } = await setUp();
    proxy.meet((passing) =>
      phaseOf(passing) === 'create' ? { kind: 'answer', status: 501, code: 'NotImplemented' } : undefined,
    );
    await expect(repository.create('a', Buffer.from('x'))).rejects.toMatchObject({
      message: expect.stringContaining('it does not know `If-None-Match`'),
    });
  });

  test('encryption that is asked for and not confirmed is refused, and nothing stays', async () => {
    const config = await testBucket();
    const repository = open({ ...config, serverSideEncryption: 'AES256' });
    const attempts = [
      () => repository.put('small', Buffer.from('x')),
      () => repository.create('created', Buffer.from('x')),
      () => repository.put('large', streamOf(large)),
    ];
    for (const attempt of attempts) {
      await expect(attempt()).rejects.toMatchObject({
        message: expect.stringContaining('the store does not encrypt with AES256'),
      });
    }
    expect(await objectsIn(config)).toEqual([]);
    expect(await uploadsIn(config)).toEqual([]);
  });
});

describe('a clock that is 20 minutes off', () => {
  test.each([-20, 20])('%d minutes: the time of the store is used', async (minutes) => {
    const config = await testBucket();
    const repository = open(config);
    const real = new Date();
    vi.useFakeTimers({ toFake: ['Date'], now: real.getTime() + minutes * 60_000 });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    await work(repository);
    const told = await repository.now();
    expect(Math.abs((told?.getTime() ?? 0) - real.getTime())).toBeLessThan(60_000);
  });
});

describe('wrong settings', () => {
  test.each([
    ['secretAccessKey', { secretAccessKey: 'wrong-secret-1' }, /secret access key is wrong/, /secretAccessKey/],
    ['accessKeyId', { accessKeyId: 'nobody' }, /does not know the access key/, /accessKeyId/],
    ['bucket', { bucket: 'no-such-bucket-here' }, /the bucket does not exist/, /never makes one/],
    ['region', { region: 'eu-west-9' }, /another region/, /region/],
    ['endpoint', { endpoint: 'http://127.0.0.1:9' }, /nobody listens/, /endpoint/],
    ['https for http', {}, /does not speak TLS/, /http:\/\//],
  ] as const)('%s', async (name, wrong, reason, hint) => {
    const right = await testBucket();
    const endpoint = right.endpoint?.replace('http:', 'https:') ?? '';
    const config = { ...right, ...(name === 'https for http' ? { endpoint } : wrong) };
    const repository = open(config);
    const attempts: (() => Promise<unknown>)[] = [
      () => repository.prepare(),
      () => repository.list('', 'deep'),
      () => repository.stat('a'),
      () => repository.read('a'),
      () => repository.open('a'),
      () => repository.put('a', Buffer.from('x')),
      () => repository.put('a', streamOf(large)),
      () => repository.create('a', Buffer.from('x')),
      () => repository.remove('a'),
    ];
    for (const attempt of attempts) {
      const error = await attempt().then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toMatchObject({
        code: 'repository',
        message: expect.stringMatching(reason),
        hint: expect.stringMatching(hint),
      });
      expect(JSON.stringify(error) + String(error)).not.toContain(config.secretAccessKey);
    }
  });

  test('what answers is no S3 store', async () => {
    const { proxy, repository } = await setUp();
    proxy.meet(() => ({ kind: 'do', run: async () => ({ status: 404, etag: '' }) }));
    await expect(repository.prepare()).rejects.toMatchObject({
      message: expect.stringContaining('no S3 store'),
      hint: expect.stringContaining('endpoint'),
    });
    await expect(repository.stat('a')).rejects.toMatchObject({ code: 'repository' });
    await expect(repository.read('a')).rejects.toMatchObject({ code: 'repository' });
  });

  test('half a key pair', async () => {
    const { secretAccessKey: _secret, ...config } = await testBucket();
    await expect(open(config).prepare()).rejects.toThrow(/accessKeyId without secretAccessKey/);
  });
});
