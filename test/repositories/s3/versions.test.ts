import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import type { S3Repository } from '../../../src/generated/policy.ts';
import type { ObjectVersions } from '../../../src/repositories/object-versions.ts';
import type { Repository } from '../../../src/repositories/repository.ts';
import { openS3Repository } from '../../../src/repositories/s3.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { describeHost } from '../../../src/system/host.ts';
import { adminOf, STORES, testBucket, versionedBucket } from './bucket.ts';

const edge = { clock: systemClock, host: describeHost() };
const HOUR_MS = 3_600_000;

function open(config: S3Repository): { readonly repository: Repository; readonly versions: ObjectVersions } {
  const repository = openS3Repository(config, edge);
  if (repository.versions === undefined) throw new Error('an S3 repository knows versions');
  return { repository, versions: repository.versions };
}

const governance = { objectLock: { mode: 'governance', days: 7 } } as const;
const soon = (): Date => new Date(Math.ceil((Date.now() + HOUR_MS) / 1000) * 1000);

describe.each(STORES)('versions on %s', (service) => {
  test('a bucket tells what it keeps', async () => {
    const nothing = { versions: false, objectLock: false, lockDays: null };
    expect(await open(await testBucket(service)).versions.keeping()).toMatchObject(nothing);
    expect(await open({ ...(await testBucket(service)), ...governance }).versions.keeping()).toMatchObject(nothing);
    const versioned = await versionedBucket('versions', service);
    expect(await open(versioned).versions.keeping()).toMatchObject({ ...nothing, versions: true });
    const locking = await versionedBucket('locks', service);
    expect(await open(locking).versions.keeping()).toMatchObject({ versions: true, objectLock: true, lockDays: null });
    expect(await open({ ...locking, ...governance }).versions.keeping()).toMatchObject({
      objectLock: true,
      lockDays: 7,
      mode: 'GOVERNANCE',
    });
    await adminOf(service).putObjectLockConfiguration({
      Bucket: locking.bucket,
      ObjectLockConfiguration: {
        ObjectLockEnabled: 'Enabled',
        Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 30 } },
      },
    });
    expect(await open(locking).versions.keeping()).toMatchObject({ lockDays: 30 });
    expect(await open({ ...locking, ...governance }).versions.keeping()).toMatchObject({ lockDays: 30 });
  });

  test('what was written over and removed is listed, read and removed by its version', async () => {
    const { repository, versions } = open(await versionedBucket('versions', service));
    for (const text of ['first', 'second', 'third']) await repository.put('a/key', Buffer.from(text));
    await repository.put('a/key2', Buffer.from('other'));
    await repository.put('b', Buffer.from('elsewhere'));
    await repository.remove('a/key');
    const all = await versions.list('a/');
    expect(all.map(({ key, isMarker, isNewest, bytes }) => [key, isMarker, isNewest, bytes])).toEqual([
      ['a/key', false, false, 5],
      ['a/key', false, false, 6],
      ['a/key', false, false, 5],
      ['a/key2', false, true, 5],
      ['a/key', true, true, 0],
    ]);
    const objects = all.filter(({ key, isMarker }) => key === 'a/key' && !isMarker);
    expect(new Set(objects.map(({ content }) => content)).size).toBe(3);
    const [third, second, first] = objects.map(({ version }) => version);
    expect((await versions.read('a/key', first ?? '')).toString()).toBe('first');
    expect((await buffer(await versions.open('a/key', second ?? ''))).toString()).toBe('second');
    const answer = await fetch(await versions.presign('a/key', third ?? '', { from: new Date(), seconds: 60 }));
    expect(await answer.text()).toBe('third');
    for (const { key, version } of all) expect(await versions.remove(key, version)).toBe(true);
    expect(await versions.remove('a/key', first ?? '')).toBe(true);
    await expect(versions.read('a/key', first ?? '')).rejects.toMatchObject({ code: 'not-found' });
    expect(await versions.list('a/')).toEqual([]);
    expect(await repository.list('', 'deep')).toEqual(['b']);
  });

  test('versions of more keys than one page are all listed', { timeout: 120_000 }, async () => {
    const { repository, versions } = open(await versionedBucket('versions', service));
    const keys = Array.from({ length: 510 }, (_, index) => `many/${String(index).padStart(4, '0')}`);
    for (const key of keys) {
      await repository.put(key, Buffer.from('1'));
      await repository.put(key, Buffer.from('22'));
    }
    const all = await versions.list('many/');
    expect(all.map(({ key, bytes }) => [key, bytes])).toEqual(
      keys.flatMap((key) => [
        [key, 2],
        [key, 1],
      ]),
    );
  });

  test('a locked version stays until its time, and a lock only becomes longer', async () => {
    const config = await versionedBucket('locks', service);
    const { repository, versions } = open({ ...config, ...governance });
    await repository.put('artifact', Buffer.from('x'));
    const [{ version } = { version: '' }] = await versions.list('artifact');
    expect(await versions.lockOf('artifact', version)).toEqual({ until: null, isHeld: false });
    const until = soon();
    await versions.retain('artifact', version, until);
    expect(await versions.lockOf('artifact', version)).toEqual({ until, isHeld: false });
    expect(await versions.remove('artifact', version)).toBe(false);
    await expect(versions.retain('artifact', version, new Date(until.getTime() - 60_000))).rejects.toMatchObject({
      message: expect.stringContaining('the store refuses it'),
      hint: expect.stringContaining('s3:PutObjectRetention'),
    });
    const later = new Date(until.getTime() + HOUR_MS);
    await versions.retain('artifact', version, later);
    expect((await versions.lockOf('artifact', version)).until).toEqual(later);
    await repository.remove('artifact');
    expect(await repository.stat('artifact')).toBeUndefined();
    expect((await versions.read('artifact', version)).toString()).toBe('x');
  });

  test('a held version stays until the hold is lifted', async () => {
    const { repository, versions } = open(await versionedBucket('locks', service));
    await repository.put('artifact', Buffer.from('x'));
    const [{ version } = { version: '' }] = await versions.list('artifact');
    await versions.hold('artifact', version, true);
    expect(await versions.lockOf('artifact', version)).toEqual({ until: null, isHeld: true });
    expect(await versions.remove('artifact', version)).toBe(false);
    await versions.hold('artifact', version, false);
    expect((await versions.lockOf('artifact', version)).isHeld).toBe(false);
    expect(await versions.remove('artifact', version)).toBe(true);
  });

  test('small objects are locked from their first moment', async () => {
    const { repository, versions } = open({ ...(await versionedBucket('locks', service)), ...governance });
    const until = soon();
    const locking = versions.locking(until);
    expect(await locking.create('manifest', Buffer.from('one'))).toBe(true);
    expect(await locking.create('manifest', Buffer.from('two'))).toBe(false);
    await locking.put('other', Buffer.from('three'));
    for (const key of ['manifest', 'other']) {
      const [{ version } = { version: '' }, ...more] = await versions.list(key);
      expect(more).toEqual([]);
      expect(await versions.lockOf(key, version)).toEqual({ until, isHeld: false });
    }
    expect((await repository.read('manifest')).toString()).toBe('one');
  });

  test('a bucket without object lock refuses locks, and says why', async () => {
    const { repository, versions } = open({ ...(await versionedBucket('versions', service)), ...governance });
    await repository.put('artifact', Buffer.from('x'));
    const [{ version } = { version: '' }] = await versions.list('artifact');
    const refused = { code: 'repository', hint: expect.stringContaining('made with object lock') };
    await expect(versions.retain('artifact', version, soon())).rejects.toMatchObject(refused);
    await expect(versions.hold('artifact', version, true)).rejects.toMatchObject(refused);
  });

  test('every object works where the bucket locks all that comes', async () => {
    const config = await versionedBucket('locks', service);
    await adminOf(service).putObjectLockConfiguration({
      Bucket: config.bucket,
      ObjectLockConfiguration: {
        ObjectLockEnabled: 'Enabled',
        Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 1 } },
      },
    });
    const { repository } = open(config);
    expect(await repository.create('locks/app.1.json', Buffer.from('held'))).toBe(true);
    await repository.put('locks/app.1.json', Buffer.from('renewed'));
    expect((await repository.read('locks/app.1.json')).toString()).toBe('renewed');
    await repository.put('large', (await import('node:stream')).Readable.from([Buffer.alloc(9 * 1024 * 1024)]));
    await repository.remove('large');
    await repository.remove('locks/app.1.json');
    expect(await repository.list('', 'deep')).toEqual([]);
  });
});
