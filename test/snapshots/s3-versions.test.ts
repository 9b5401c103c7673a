import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { S3Repository } from '../../src/generated/policy.ts';
import type { Repository } from '../../src/repositories/repository.ts';
import { openS3Repository } from '../../src/repositories/s3.ts';
import { openCatalog } from '../../src/snapshots/catalog.ts';
import { forgetOld } from '../../src/snapshots/forget-old.ts';
import { initializeRepository, repositoryIdentity } from '../../src/snapshots/identity.ts';
import { beginKey, IDENTITY_KEY, manifestKey, snapshotFolder } from '../../src/snapshots/keys.ts';
import { writeManifest } from '../../src/snapshots/manifest-codec.ts';
import { addMark } from '../../src/snapshots/marks.ts';
import { readManifest } from '../../src/snapshots/read-snapshot.ts';
import { recoverSnapshot } from '../../src/snapshots/recover-snapshot.ts';
import { releaseSnapshot } from '../../src/snapshots/release-snapshot.ts';
import { cleanRemains } from '../../src/snapshots/remove-remains.ts';
import { systemClock } from '../../src/system/clock.ts';
import { describeHost } from '../../src/system/host.ts';
import { adminOf, STORE, STORES, versionedBucket, versionsIn } from '../repositories/s3/bucket.ts';
import { startProxy } from '../repositories/s3/proxy.ts';
import { withRights } from '../repositories/s3/with-rights.ts';
import { connectionOf } from '../services/connection.ts';
import { testFolder } from '../test-context.ts';
import { aManifest, idAt, inventoryOf, storeSnapshot, takeLease, testRunner } from './fixtures.ts';

const edge = { clock: systemClock, host: describeHost() };
const lock = { objectLock: { mode: 'governance', days: 7 } } as const;
const id = idAt('2026-11-01T02:00:00Z');
const name = { backup: 'kong', id };
const release = { ...name, policyNames: ['acme'], reason: 'retention-exceeded' };

interface Stored {
  readonly config: S3Repository;
  readonly repository: Repository;
  readonly runner: ReturnType<typeof testRunner>;
}

/** A repository with one snapshot. */
async function stored(config: S3Repository): Promise<Stored> {
  const repository = openS3Repository(config, edge);
  const runner = testRunner();
  await initializeRepository(repository, runner);
  const lease = await takeLease(repository, runner);
  await storeSnapshot(repository, aManifest(id), lease, runner);
  await lease.release();
  return { config, repository, runner };
}

const everything = async (config: S3Repository, service: string): Promise<readonly string[]> =>
  (await versionsIn(config, service))
    .map(({ Key, VersionId }) => `${Key} ${VersionId}`)
    .filter((one) => one.includes(id));

describe.each(STORES)('snapshots in a bucket with versions on %s', (service) => {
  test('a lock that no manifest tells of stops a removal before its first step', async () => {
    const { config, repository, runner } = await stored(await versionedBucket('locks', service));
    const [artifact] = (await versionsIn(config, service)).filter(({ Key }) => Key.endsWith('db/second.db'));
    await adminOf(service).putObjectRetention({
      Bucket: config.bucket,
      Key: artifact?.Key,
      VersionId: artifact?.VersionId,
      Retention: { Mode: 'GOVERNANCE', RetainUntilDate: new Date(Date.now() + 3_600_000) },
    });
    const before = await everything(config, service);
    const lease = await takeLease(repository, runner);
    await expect(releaseSnapshot(repository, release, lease, runner)).rejects.toMatchObject({
      code: 'guard',
      message: expect.stringMatching(/db\/second\.db is locked until \d{4}-/),
      hint: expect.stringContaining('nothing was removed'),
    });
    expect(await everything(config, service)).toEqual(before);
    await lease.release();
  });

  test('a removal takes every version, also what somebody put over it', async () => {
    const { config, repository, runner } = await stored(await versionedBucket('versions', service));
    await repository.put(manifestKey('kong', id), Buffer.from('junk'));
    await repository.remove(`${snapshotFolder('kong', id)}db.db`);
    const lease = await takeLease(repository, runner);
    await releaseSnapshot(repository, release, lease, runner);
    await lease.release();
    expect((await everything(config, service)).filter((one) => !one.includes('/marks/'))).toEqual([]);
    expect(await inventoryOf(repository, runner)).toMatchObject({ snapshots: [], remains: [], tampered: [] });
  });

  test('the first manifest counts, and a later one is told', async () => {
    const { repository, runner } = await stored(await versionedBucket('versions', service));
    const forged = writeManifest(aManifest(id, { protect: true, policy: 'other' }));
    await repository.put(manifestKey('kong', id), forged);
    const read = await readManifest(repository, name);
    expect(read).toMatchObject({ ok: true, value: { protect: false, policy: 'acme' } });
    const { snapshots, tampered, unreadable, foreign } = await inventoryOf(repository, runner);
    expect(snapshots).toMatchObject([{ id, protect: false }]);
    expect(tampered).toEqual([{ ...name, how: 'overwritten' }]);
    expect({ unreadable, foreign }).toEqual({ unreadable: [], foreign: [] });
    // The same bytes once more are no other manifest.
    await repository.put(manifestKey('kong', idAt('2026-11-02T02:00:00Z')), forged);
    await repository.put(manifestKey('kong', idAt('2026-11-02T02:00:00Z')), forged);
    expect((await inventoryOf(repository, runner)).tampered).toEqual(tampered);
  });

  test('a manifest that somebody removed is drift, and nothing of its snapshot is cleaned', async () => {
    const { config, repository, runner } = await stored(await versionedBucket('versions', service));
    const before = (await everything(config, service)).length;
    await repository.remove(manifestKey('kong', id));
    const { snapshots, remains, tampered } = await inventoryOf(repository, runner);
    expect({ snapshots, remains }).toEqual({ snapshots: [], remains: [] });
    expect(tampered).toEqual([{ ...name, how: 'removed' }]);
    const lease = await takeLease(repository, runner);
    expect(await cleanRemains(repository, { ...name, policyNames: ['acme'] }, lease, runner)).toBe(false);
    expect(await everything(config, service)).toHaveLength(before + 1);
    await expect(storeSnapshot(repository, aManifest(id), lease, runner)).rejects.toMatchObject({ code: 'guard' });
    await repository.remove(beginKey('kong', id));
    await expect(storeSnapshot(repository, aManifest(id), lease, runner)).rejects.toMatchObject({ code: 'guard' });
    await lease.release();
  });

  test('what is recovered is what the manifest means, among versions of the same size', async () => {
    const { repository } = await stored(await versionedBucket('versions', service));
    const folder = snapshotFolder('kong', id);
    expect(await recoverSnapshot(repository, { ...name, id: idAt('2026-11-05T02:00:00Z') })).toBeUndefined();
    for (const text of ['another', 'CONTENT', 'short']) await repository.put(`${folder}db.db`, Buffer.from(text));
    await repository.remove(`${folder}db/second.db`);
    await repository.remove(manifestKey('kong', id));
    const recovered = await recoverSnapshot(repository, name);
    if (recovered?.ok !== true) throw new Error('it was there');
    // The hash that the fixture gives fits none of them; a single one of the right size is taken, and verified later.
    expect(recovered.value.missing).toEqual(['db.db']);
    const found = recovered.value.repository;
    expect((await found.read(`${folder}db/second.db`)).toString()).toBe('content');
    expect(await found.stat(`${folder}db/second.db`)).toMatchObject({ bytes: 7 });
    await expect(found.open(`${folder}db.db`)).rejects.toMatchObject({ code: 'not-found' });
    expect(await readManifest(found, name)).toMatchObject({ ok: true, value: { id } });
  });

  test('a mark that somebody forged frees nothing that is locked', async () => {
    const { config, repository, runner } = await stored({ ...(await versionedBucket('locks', service)), ...lock });
    const before = (await everything(config, service)).length;
    const data = { keys: ['db.db', 'db/second.db'], reason: 'retention-exceeded', run: 'forged' };
    await addMark(repository, { ...name, kind: 'released', policy: 'acme', data }, null, runner);
    await repository.remove(manifestKey('kong', id));
    const { remains, tampered } = await inventoryOf(repository, runner);
    expect(tampered).toEqual([]);
    expect(remains).toMatchObject([{ id, kind: 'released', lockedUntil: expect.stringMatching(/^\d{4}-/) }]);
    const lease = await takeLease(repository, runner);
    await expect(cleanRemains(repository, { ...name, policyNames: ['acme'] }, lease, runner)).rejects.toMatchObject({
      code: 'guard',
      message: expect.stringContaining('is locked until'),
    });
    await lease.release();
    expect(await everything(config, service)).toHaveLength(before + 2);
  });

  test('the lock of another repository is not copied, and the own one is told', async () => {
    const elsewhere = { lockedUntil: '2099-01-01T00:00:00.000Z' };
    const free = await stored(await versionedBucket('versions', service));
    const locked = await stored({ ...(await versionedBucket('locks', service)), ...lock });
    const second = idAt('2026-11-02T02:00:00Z');
    for (const { repository, runner } of [free, locked]) {
      const lease = await takeLease(repository, runner);
      await storeSnapshot(repository, aManifest(second, elsewhere), lease, runner);
      await lease.release();
    }
    const [there] = (await inventoryOf(free.repository, free.runner)).snapshots.slice(-1);
    expect(there).not.toHaveProperty('lockedUntil');
    const catalog = openCatalog(await testFolder());
    const [here] = (await inventoryOf(locked.repository, locked.runner, { catalog })).snapshots.slice(-1);
    const [known] = (await inventoryOf(locked.repository, locked.runner, { catalog })).snapshots.slice(-1);
    expect(known).toEqual(here);
    const days = (Date.parse(here?.lockedUntil ?? '') - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(6.9);
    expect(days).toBeLessThan(7.1);
  });

  test('what a run that died between the locks and the manifest left is told, and cleaned when it can be', async () => {
    const { repository, runner } = await stored({ ...(await versionedBucket('locks', service)), ...lock });
    const { versions } = repository;
    if (versions === undefined) throw new Error('an S3 repository knows versions');
    const dying: Repository = {
      ...repository,
      versions: {
        ...versions,
        locking: () => {
          throw new Error('the power is gone');
        },
      },
    };
    const second = idAt('2026-11-02T02:00:00Z');
    const dead = await takeLease(repository, runner);
    await expect(storeSnapshot(dying, aManifest(second), dead, runner)).rejects.toThrow('the power is gone');
    await dead.release();
    const { remains, snapshots } = await inventoryOf(repository, runner);
    expect(snapshots.map((snapshot) => snapshot.id)).toEqual([id]);
    expect(remains).toMatchObject([{ id: second, kind: 'begun', lockedUntil: expect.stringMatching(/^\d{4}-/) }]);
    const lease = await takeLease(repository, runner);
    const request = { backup: 'kong', id: second, policyNames: ['acme'] };
    await expect(cleanRemains(repository, request, lease, runner)).rejects.toMatchObject({ code: 'guard' });
    await lease.release();
  });

  test('a policy that becomes stricter locks what comes, and nobody can go round that', async () => {
    // What it locks cannot be removed by anybody: the bucket goes with the server.
    const admin = adminOf(service);
    const { endpoint = '', accessKeyId = '', secretAccessKey = '', region = '' } = connectionOf(service);
    const bucket = `strict-${randomUUID()}`;
    await admin.createBucket({ Bucket: bucket, ObjectLockEnabledForBucket: true });
    const config = { type: 's3', bucket, endpoint, region, accessKeyId, secretAccessKey } as const;
    await stored({ ...config, ...lock });
    const strict = openS3Repository({ ...config, objectLock: { mode: 'compliance', days: 9 } }, edge);
    const runner = testRunner();
    const lease = await takeLease(strict, runner);
    const second = idAt('2026-11-02T02:00:00Z');
    await storeSnapshot(strict, aManifest(second), lease, runner);
    await lease.release();
    for (const { Key, VersionId } of await versionsIn(config, service)) {
      if (!Key.includes(second) || Key.endsWith('begin.json')) continue;
      const head = await admin.headObject({ Bucket: bucket, Key, VersionId });
      expect(head.ObjectLockMode, Key).toBe('COMPLIANCE');
      const removal = { Bucket: bucket, Key, VersionId, BypassGovernanceRetention: true };
      await expect(admin.deleteObject(removal), Key).rejects.toThrow();
    }
  });

  test('an identity that somebody removed is found, is locked with the snapshots, and init brings it back', async () => {
    const { config, repository, runner } = await stored({ ...(await versionedBucket('locks', service)), ...lock });
    const [identity] = (await versionsIn(config, service)).filter(({ Key }) => Key.endsWith(IDENTITY_KEY));
    const head = await adminOf(service).headObject({
      Bucket: config.bucket,
      Key: identity?.Key ?? '',
      VersionId: identity?.VersionId,
    });
    expect(head.ObjectLockRetainUntilDate?.getTime()).toBeGreaterThan(Date.now());
    const before = await repositoryIdentity(repository);
    await repository.remove(IDENTITY_KEY);
    expect(await repositoryIdentity(repository)).toEqual(before);
    expect(await initializeRepository(repository, runner)).toEqual(before);
    expect(await repository.list('', 'shallow')).toContain(IDENTITY_KEY);
  });
});

test('who may not remove versions hides what is pruned, and that is told from an attack as long as it is there', async () => {
  const admin = await stored(await versionedBucket('versions'));
  const rights = [
    's3:ListBucket',
    's3:ListBucketVersions',
    's3:GetBucketVersioning',
    's3:GetObject',
    's3:GetObjectVersion',
  ];
  const config = await withRights(admin.config, [...rights, 's3:PutObject', 's3:DeleteObject']);
  const repository = openS3Repository(config, edge, { retryMs: 1 });
  const { runner } = admin;
  const lease = await takeLease(repository, runner);
  await releaseSnapshot(repository, release, lease, runner);
  expect(await repository.list('snapshots/', 'deep')).toEqual([]);
  expect(await repository.list('manifests/', 'deep')).toEqual([]);
  const seen = { snapshots: [], remains: [], tampered: [], unreadable: [] };
  expect(await inventoryOf(repository, runner)).toMatchObject(seen);
  expect(await cleanRemains(repository, { ...name, policyNames: ['acme'] }, lease, runner)).toBe(true);
  runner.clock.wall += 100 * 86_400_000;
  await forgetOld(repository, 'kong', runner);
  expect(await inventoryOf(repository, runner)).toMatchObject(seen);
  await lease.release();
  // Who may finishes it, and then the mark can go.
  const own = await takeLease(admin.repository, runner);
  expect(await cleanRemains(admin.repository, { ...name, policyNames: ['acme'] }, own, runner)).toBe(true);
  await own.release();
  expect((await everything(config, STORE)).filter((one) => !one.includes('/marks/'))).toEqual([]);
  await forgetOld(admin.repository, 'kong', runner);
  expect(await admin.repository.list('marks/', 'deep')).toEqual([]);
});

test('planning asks for no manifest that it knows, and as little for many snapshots as for one', async () => {
  const proxy = await startProxy(connectionOf(STORE)['endpoint'] ?? '');
  const { config, repository, runner } = await stored(await versionedBucket('versions'));
  const catalog = openCatalog(await testFolder());
  const through = openS3Repository({ ...config, endpoint: proxy.endpoint }, edge);
  const requestsOf = async (): Promise<readonly string[]> => {
    const from = proxy.seen.length;
    await inventoryOf(through, runner, { catalog });
    return proxy.seen.slice(from).map(({ method, path, query }) => `${method} ${path} ${query.get('prefix') ?? ''}`);
  };
  await requestsOf();
  const one = await requestsOf();
  expect(one.filter((request) => request.includes('/manifests/kong/'))).toEqual([]);
  const lease = await takeLease(repository, runner);
  for (const day of [2, 3, 4])
    await storeSnapshot(repository, aManifest(idAt(`2026-11-0${day}T02:00:00Z`)), lease, runner);
  await lease.release();
  await repository.put(manifestKey('kong', id), Buffer.from('junk'));
  const first = await requestsOf();
  expect(first.filter((request) => request.includes('/manifests/kong/'))).toHaveLength(3);
  expect(await requestsOf()).toHaveLength(one.length);
  expect((await inventoryOf(through, runner, { catalog })).snapshots).toHaveLength(4);
});
