import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { elasticsearch } from '../../../src/engines/elasticsearch.ts';
import { adminOf, STORE, testBucket } from '../../repositories/s3/bucket.ts';
import { connectionOf } from '../../services/connection.ts';
import { ask, askJson, bulk, deleteIndices } from './ask.ts';
import { type OwnIndices, ownIndicesAt, type Target } from './own-indices.ts';
import { startOwnServer } from './own-server.ts';
import { ORIGIN } from './own-snapshots.ts';

describe('a server whose repository is a bucket', async () => {
  const { endpoint = '', region = '', accessKeyId = '', secretAccessKey = '' } = connectionOf(STORE);
  const settings = {
    's3.client.default.endpoint': endpoint,
    's3.client.default.region': region,
    'secret:s3.client.default.access_key': accessKeyId,
    'secret:s3.client.default.secret_key': secretAccessKey,
  };
  const [home, second] = [await startOwnServer('3.8.0', settings), await startOwnServer('3.8.0', settings)];
  afterAll(async () => void (await Promise.all([home.stop(), second.stop()])));
  const { url = '' } = home.connection;
  const { url: there = '' } = second.connection;

  /** An index, and a target that describes the bucket; the policy registers it. */
  async function ownBucket(change: Readonly<Record<string, string>> = {}): Promise<
    OwnIndices & {
      readonly byServer: Target;
      readonly name: string;
      readonly place: Readonly<Record<string, string | boolean>>;
    }
  > {
    const own = await ownIndicesAt(url);
    const { prefix, target } = own;
    const name = prefix.slice(0, -1);
    const { bucket } = await testBucket();
    const place = { bucket, base_path: 'deep/place', path_style_access: true, ...change };
    onTestFinished(async () => void (await ask(url, 'DELETE', `_snapshot/${name}`).catch(() => '')));
    await bulk(url, `${prefix}a`, ['{"index":{"_id":"1"}}\n{"n":1}', '{"index":{"_id":"2"}}\n{"n":2}']);
    const snapshotRepository = { name, type: 's3', settings: place } as const;
    return { ...own, name, place, byServer: { ...target, method: 'snapshot', snapshotRepository } };
  }

  test('captures into it, restores in all modes, and releases', async () => {
    const { prefix, name, place, byServer, context, take, restore } = await ownBucket();
    expect(await elasticsearch.probe(byServer, context)).toMatchObject({
      problems: [],
      warnings: [{ hint: 'the first capture registers it' }],
    });
    const taken = await take(byServer);
    expect(await elasticsearch.probe(byServer, context)).toMatchObject({ problems: [], warnings: [] });
    await bulk(url, `${prefix}a`, ['{"delete":{"_id":"1"}}', '{"index":{"_id":"3"}}\n{"n":3}']);
    await restore(taken, 'merge', byServer);
    expect(await askJson(url, 'GET', `${prefix}a/_count`)).toMatchObject({ count: 3 });
    await restore(taken, 'replace', byServer);
    expect(await askJson(url, 'GET', `${prefix}a/_count`)).toMatchObject({ count: 2 });
    await restore(taken, 'new', { ...byServer, rename: { from: `${prefix}*`, to: `new${prefix}*` } });

    const capture = await elasticsearch.capture(byServer, context, ORIGIN);
    await capture.close();
    const [reference] = capture.references ?? [];
    if (reference === undefined) throw new Error('no reference');
    const stored = async (): Promise<readonly string[]> => {
      const { Contents = [] } = await adminOf(STORE).listObjectsV2({
        Bucket: String(place['bucket']),
        Prefix: 'deep/place/snap-',
      });
      return Contents.map(({ Key = '' }) => Key);
    };
    expect(await stored()).toHaveLength(2);
    expect(await elasticsearch.references?.flawOf(byServer, reference, context)).toBeNull();
    await expect(
      elasticsearch.references?.release({ ...byServer, url: there }, reference, context),
    ).rejects.toMatchObject({ code: 'guard' });
    await elasticsearch.references?.release(byServer, reference, context);
    expect(await stored()).toEqual([expect.not.stringContaining(reference.id)]);
    expect(await askJson(url, 'GET', `_snapshot/${name}/_all`)).toMatchObject({ snapshots: [{ state: 'SUCCESS' }] });
  });

  test('is read by another cluster, where the bucket is registered read-only', async () => {
    const { prefix, name, place, byServer, take, restore } = await ownBucket();
    onTestFinished(() => deleteIndices(there, prefix));
    const taken = await take(byServer);
    const target = { ...byServer, url: there };
    await expect(restore(taken, 'new', target)).rejects.toMatchObject({
      code: 'guard',
      hint: `register the place where it lies on this server, read-only (type s3, bucket ${String(place['bucket'])}, base_path deep/place, readonly true)`,
    });
    await askJson(there, 'PUT', `_snapshot/other-${name}`, { type: 's3', settings: { ...place, readonly: true } });
    onTestFinished(async () => void (await ask(there, 'DELETE', `_snapshot/other-${name}`)));
    await restore(taken, 'new', target);
    expect(await askJson(there, 'GET', `${prefix}a/_count`)).toMatchObject({ count: 2 });
  });

  test('tells of a bucket that is not there, and leaves nothing registered', async () => {
    const { name, byServer, context } = await ownBucket({ bucket: 'no-such-bucket' });
    await expect(elasticsearch.capture(byServer, context, ORIGIN)).rejects.toMatchObject({
      code: 'target',
      message: expect.stringContaining(`cannot register snapshot repository ${name}: `) as unknown,
      hint: expect.stringContaining('every node') as unknown,
    });
    await expect(askJson(url, 'GET', `_snapshot/${name}`)).rejects.toThrow('404');
  });
});
