import { describe, expect, test } from 'vitest';
import type { Context } from '../../../src/context.ts';
import type { TargetOf } from '../../../src/engines/engine.ts';
import { s3 } from '../../../src/engines/s3.ts';
import { readRecord } from '../../../src/engines/s3/object-record.ts';
import { openDirectoryRepository } from '../../../src/repositories/directory.ts';
import { storeFiles } from '../../../src/reconcile/store-folder.ts';
import type { ListedFile } from '../../../src/streams/bytes.ts';
import { storeArtifact } from '../../../src/streams/store-artifact.ts';
import { adminOf, STORE, STORES, testBucket } from '../../repositories/s3/bucket.ts';
import { startProxy } from '../../repositories/s3/proxy.ts';
import { testContext } from '../../test-context.ts';

type Line = ReturnType<typeof readRecord>;

/** A clock on which so much passes from one look to the next: more or less than an object is young. */
function withSteps(context: Context, stepMs: number): Context {
  let ms = 0;
  return { ...context, clock: { now: () => context.clock.now(), monotonicMs: () => (ms += stepMs) } };
}

async function bench(service: string = STORE) {
  const { bucket, endpoint = '', region = '', accessKeyId = '', secretAccessKey = '' } = await testBucket(service);
  const { context: bare, folder } = await testContext();
  const context = withSteps(bare, 10_000);
  const admin = adminOf(service);
  const proxy = await startProxy(endpoint);
  const target: TargetOf<'s3'> = {
    type: 's3',
    method: 'mirror',
    bucket,
    endpoint: proxy.endpoint,
    region,
    accessKeyId,
    secretAccessKey,
    prefix: 'from',
  };
  const repository = openDirectoryRepository({ path: folder, dedupe: 'hardlink' }, context);
  let runs = 0;
  const capture = async (
    before: { readonly folder: string; readonly lines: readonly Line[] } = { folder: '', lines: [] },
    { context: own = context, ...more }: Partial<TargetOf<'s3'>> & { readonly context?: Context } = {},
  ) => {
    const at = `run-${++runs}/`;
    const since = proxy.seen.length;
    const taken = await s3.capture({ ...target, ...more }, own);
    const source = taken.artifacts[0]?.source;
    if (source?.kind !== 'folder') throw new Error('a mirror is a folder');
    const find = async (key: string): Promise<ListedFile | undefined> => before.lines.find((one) => one.key === key);
    const { files } = await storeFiles(
      source,
      { repository, folder: `${at}t/`, earlier: { folder: before.folder, find } },
      (bytes) =>
        storeArtifact(
          {
            artifact: { source: bytes },
            compression: { method: 'none', level: 0 },
            threads: 1,
            repository,
            key: `${at}list`,
          },
          own,
        ),
      () => undefined,
    );
    await taken.close();
    const lines = (await repository.read(`${at}list`)).toString().split('\n').slice(0, files).map(readRecord);
    const asked = proxy.seen
      .slice(since)
      .filter(({ query }) => !query.has('list-type'))
      .map(({ path }) => path.replace(/.*\/from\//, ''));
    return { folder: `${at}t/`, lines, asked };
  };
  return {
    capture,
    bare,
    repository,
    change: (Key: string, tags: object) =>
      admin.putObjectTagging({
        Bucket: bucket,
        Key: `from/${Key}`,
        Tagging: { TagSet: Object.entries(tags).map(([Tag, Value]) => ({ Key: Tag, Value: String(Value) })) },
      }),
    put: (name: string, text: string, more: object = {}) =>
      admin.putObject({ Bucket: bucket, Key: `from/${name}`, Body: Buffer.from(text), ...more }),
  };
}

describe.each(STORES)('a second mirror of %s', (service) => {
  test('asks for nothing that the listing says is the same, where nobody changes tags', async () => {
    const { put, capture, repository } = await bench(service);
    for (const name of ['a', 'b', 'c', 'empty'])
      await put(name, name.replace('empty', ''), { ContentType: 'text/odd' });
    const first = await capture(undefined, { tagChanges: false });
    expect(new Set(first.asked)).toEqual(new Set(['a', 'b', 'c', 'empty']));
    await put('b', 'B');
    const second = await capture(first, { tagChanges: false });
    expect(second.asked).toEqual(['b']);
    const unchanged = (one: Line): boolean => one.key !== 'b';
    expect(second.lines.filter(unchanged)).toEqual(first.lines.filter(unchanged));
    expect((await repository.read('run-2/t/b')).toString()).toBe('B');
    expect((await capture(second, { tagChanges: false })).asked).toEqual([]);
  });
});

describe('what the listing does not tell', () => {
  test('is asked for where the object may have changed within its second', async () => {
    const { put, capture, bare } = await bench();
    await put('a', 'a', { Metadata: { one: '1' } });
    const young = await capture(undefined, { context: withSteps(bare, -10_000), tagChanges: false });
    expect(young.lines[0]).toMatchObject({ isYoung: true });
    await put('a', 'a', { Metadata: { one: '2' } });
    const second = await capture(young, { tagChanges: false });
    expect(second.asked).toEqual(['a']);
    expect(second.lines[0]?.metadata).toEqual({ one: '2' });
  });

  test('is asked for everywhere, and with `tagChanges: false` where tags are', async () => {
    const { put, change, capture } = await bench();
    await put('none', 'none');
    await put('some', 'some', { Tagging: 'kind=one' });
    const first = await capture();
    await change('none', { kind: 'new' });
    await change('some', { kind: 'two' });
    const second = await capture(first, { tagChanges: false });
    expect(second.lines.map(({ tags }) => tags)).toEqual([{}, { kind: 'two' }]);
    expect(second.asked).not.toContain('none');
    const third = await capture(second);
    expect(third.lines.map(({ tags }) => tags)).toEqual([{ kind: 'new' }, { kind: 'two' }]);
  });
});

test('what an earlier snapshot lost or holds cut is read again', async () => {
  const { put, capture, repository } = await bench();
  for (const name of ['a', 'b', 'c']) await put(name, `content of ${name}`);
  const first = await capture();
  await repository.remove('run-1/t/a');
  await repository.put('run-1/t/b', Buffer.from('content'));
  const second = await capture(first, { tagChanges: false });
  expect([...new Set(second.asked)].toSorted()).toEqual(['a', 'b']);
  for (const name of ['a', 'b', 'c'])
    expect((await repository.read(`run-2/t/${name}`)).toString()).toBe(`content of ${name}`);
});
