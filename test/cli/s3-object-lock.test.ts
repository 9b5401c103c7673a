import { readFile, rm } from 'node:fs/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { S3Repository } from '../../src/generated/policy.ts';
import {
  adminOf,
  endLocks,
  STORE,
  STORES,
  testBucket,
  versionedBucket,
  versionsIn,
} from '../repositories/s3/bucket.ts';
import { withRights } from '../repositories/s3/with-rights.ts';
import { makeProject, POLICY, type Project } from './project.ts';
import { jsonOf, makePlace, type Place, withEnvironment } from './run-bkp.ts';

const LOCK = ', objectLock: { mode: governance, days: 7 }';

/** A shop that is stored in one bucket only. */
async function makeShop(config: S3Repository, extra = LOCK): Promise<Project> {
  const { bucket, endpoint = '' } = config;
  const far = `{ type: s3, bucket: ${bucket}, prefix: deep/prefix, endpoint: "${endpoint}", accessKeyId: "\${env:KEY}", secretAccessKey: "\${env:SECRET}"${extra} }`;
  const policy = POLICY.replace('  near: { type: directory, path: near }\n', '')
    .replace('{ type: directory, path: far }', far)
    .replace('[near, far]', '[far]');
  const project = await makeProject(policy);
  onTestFinished(() => project.remove());
  return withKeys(project, config);
}

const withKeys = <P extends Place>(place: P, { accessKeyId = '', secretAccessKey = '' }: S3Repository): P =>
  withEnvironment(place, {
    KEY: accessKeyId,
    SECRET: secretAccessKey,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  });

interface Listed {
  readonly id: string;
  readonly status: string;
  readonly damaged: boolean;
}
const list = async (place: Place, args = ''): Promise<readonly Listed[]> =>
  jsonOf(await place.bkp(`list --format json${args}`))['snapshots'] as readonly Listed[];
const idsOf = async (place: Place, args = ''): Promise<readonly string[]> =>
  (await list(place, args)).map(({ id }) => id);

interface PlanJson {
  readonly steps: readonly { readonly action: string; readonly snapshot: string | null }[];
  readonly withheld: readonly {
    readonly action: string;
    readonly snapshot: string;
    readonly reason: { readonly code: string; readonly data: Readonly<Record<string, unknown>> };
  }[];
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
}
const planOf = async (place: Place): Promise<PlanJson> =>
  jsonOf(await place.bkp('plan --format json')) as unknown as PlanJson;

/** What is left of a snapshot, in any version, marks apart. */
const leftOf = async (config: S3Repository, id: string, service: string): Promise<readonly string[]> =>
  (await versionsIn(config, service))
    .map(({ Key }) => Key)
    .filter((key) => key.includes(id) && !key.includes('marks/'));

describe.each(STORES)('a bucket with object lock on %s', (service) => {
  it(
    'outlives an attacker with the credentials, and is pruned when its locks are over',
    { timeout: 240_000 },
    async () => {
      const config = await versionedBucket('locks', service);
      const admin = adminOf(service);
      const project = await makeShop(config);
      const key = (path: string): { readonly Bucket: string; readonly Key: string } => ({
        Bucket: config.bucket,
        Key: `deep/prefix/${path}`,
      });
      expect((await project.bkp('init --repository far')).stdout).toContain('locked for 7 days');
      await project.bkp('apply --yes');
      await project.bkp('backup shop');
      await project.bkp('backup shop');
      const [newest = '', middle = '', oldest = ''] = await idsOf(project);

      const withheld = (await planOf(project)).withheld.find(({ snapshot }) => snapshot === oldest);
      expect(withheld).toMatchObject({ action: 'prune', reason: { code: 'locked-until' } });
      const until = new Date(String(withheld?.reason.data['until']));
      expect(until.getTime() - Date.now()).toBeGreaterThan(6.9 * 86_400_000);
      expect((await project.bkp('plan --detailed-exitcode')).stdout).toContain('far keeps it until');
      expect((await project.bkp(`destroy shop@${oldest} --yes`, 6)).stderr).toContain('far keeps it until');
      for (const { Key, VersionId } of await versionsIn(config, service)) {
        if (!/(manifests|snapshots)\//.test(Key) || Key.endsWith('begin.json')) continue;
        const head = await admin.headObject({ Bucket: config.bucket, Key, VersionId });
        expect(head.ObjectLockMode, Key).toBe('GOVERNANCE');
      }

      // The attacker removes one snapshot whole, and writes over another.
      for (const { Key, isMarker } of await versionsIn(config, service))
        if (Key.includes(newest) && !isMarker) await admin.deleteObject({ Bucket: config.bucket, Key });
      await admin.putObject({ ...key(`manifests/shop/${middle}.json`), Body: '{"formatVersion":1}' });
      await admin.putObject({ ...key(`snapshots/shop/${middle}/db.db.zst`), Body: 'nothing' });
      await admin.deleteObject(key('bkp-repository.json'));
      project.sql('DELETE FROM events');

      const drift = (await planOf(project)).warnings
        .filter(({ code }) => code === 'drift')
        .map(({ message }) => message);
      expect(drift).toEqual([
        expect.stringContaining(`manifest of shop@${middle} in far was written again`),
        expect.stringContaining(`manifest of shop@${newest} was removed from far`),
      ]);
      expect((await project.bkp('status', 2)).stdout).toContain('was removed from far');
      await project.bkp('apply --yes --no-prune');
      expect(await idsOf(project)).toEqual([middle, oldest]);
      expect((await project.bkp('list')).stderr).toContain('1 snapshot deleted without bkp');
      expect(await list(project, ' --deleted')).toMatchObject([{ id: newest, status: 'deleted', damaged: false }]);
      expect((await project.bkp('list --deleted')).stdout).toContain('deleted');

      await project.bkp(`restore shop@${newest} --target db --mode replace --yes`);
      expect(project.count('events')).toBe(500);
      await project.bkp(`restore shop@${middle} --target db --into path=${project.path('middle.db')} --yes`);
      expect(project.count('events', 'middle.db')).toBe(500);
      expect((await project.bkp(`verify shop@${newest} --deep`)).stdout).toContain('Good');
      expect((await project.bkp(`verify shop@${middle}`, 1)).stdout).toContain('db.db.zst');
      expect((await project.bkp(`show shop@${newest}`)).stdout).toContain(newest);
      await project.bkp(`download shop@${newest} out --native`);
      await project.bkp(`download shop@${middle} stored --target db`);
      const signed = await project.bkp(`download shop@${middle} --target db --print-url --format plain`);
      const bytes = await (await fetch(signed.stdout.trim())).arrayBuffer();
      expect(Buffer.from(bytes).equals(await readFile(project.path('stored', 'db.db.zst')))).toBe(true);
      const place = withKeys(await makePlace(), config);
      onTestFinished(() => place.remove());
      const there = `--repository s3://${config.bucket}/deep/prefix?endpoint=${config.endpoint}`;
      await place.bkp(`restore ${newest} ${there} --target db --into path=${project.path('far.db')} --yes`);
      expect(project.count('events', 'far.db')).toBe(500);
      expect((await project.bkp(`destroy shop@${newest} --yes`, 6)).stderr).toContain('far keeps it until');

      await endLocks(config, service);
      await place.remove();
      const later = await makeShop(config);
      await later.bkp('backup shop');
      await later.bkp('apply --yes');
      expect(await idsOf(later)).not.toContain(oldest);
      expect(await leftOf(config, oldest, service)).toEqual([]);
      expect((await later.bkp('list --deleted')).stdout).toBe('No snapshots.\n');
    },
  );

  it('holds what is protected, whatever the marks say', { timeout: 120_000 }, async () => {
    const config = await versionedBucket('locks', service);
    const admin = adminOf(service);
    const project = await makeShop(config, '');
    await project.bkp('apply --yes --init-repositories');
    const [id = ''] = await idsOf(project);
    expect((await project.bkp(`protect shop@${id}`)).stdout).toContain('held by the store in far');
    const held = async (): Promise<readonly (string | undefined)[]> => {
      const objects = (await versionsIn(config, service)).filter(
        ({ Key }) => Key.includes(id) && /manifests|snapshots/.test(Key) && !Key.endsWith('begin.json'),
      );
      return Promise.all(
        objects.map(async ({ Key, VersionId }) => {
          const head = await admin.headObject({ Bucket: config.bucket, Key, VersionId });
          return head.ObjectLockLegalHoldStatus;
        }),
      );
    };
    expect(await held()).toEqual(['ON', 'ON', 'ON']);
    // Who removes the mark has not lifted the hold.
    for (const { Key } of await versionsIn(config, service))
      if (Key.endsWith('-protected.json')) await admin.deleteObject({ Bucket: config.bucket, Key });
    const { stderr } = await project.bkp(`destroy shop@${id} --force shop@${id} --yes`, 6);
    expect(stderr).toContain('has a legal hold');
    expect(await idsOf(project)).toEqual([id]);
    expect((await planOf(project)).withheld.map(({ reason }) => reason.code)).not.toContain('locked-until');
    await project.bkp(`unprotect shop@${id}`);
    expect(await held()).not.toContain('ON');
    await project.bkp(`destroy shop@${id} --force shop@${id} --yes`);
    expect(await leftOf(config, id, service)).toEqual([]);
    expect(await idsOf(project)).toEqual([]);
  });

  it('keeps failed runs removable', { timeout: 120_000 }, async () => {
    const config = await versionedBucket('locks', service);
    const project = await makeShop(config);
    await project.bkp('init --repository far');
    await project.edit('path: app.db', 'path: absent.db');
    await project.edit('paths: [tree]', 'paths: [absent]');
    await project.bkp('backup shop', 1);
    expect((await versionsIn(config, service)).filter(({ Key }) => Key.includes('snapshots/'))).toEqual([]);
    expect((await project.bkp('list --deleted')).stdout).toBe('No snapshots.\n');
  });

  it(
    'works where the bucket locks all that comes, and says what cannot be cleaned yet',
    { timeout: 120_000 },
    async () => {
      const config = await versionedBucket('locks', service);
      await adminOf(service).putObjectLockConfiguration({
        Bucket: config.bucket,
        ObjectLockConfiguration: {
          ObjectLockEnabled: 'Enabled',
          Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 3 } },
        },
      });
      const project = await makeShop(config, '');
      expect((await project.bkp('init --repository far')).stdout).toContain('locked for 3 days');
      for (let run = 0; run < 3; run++) await project.bkp('backup shop');
      expect(await idsOf(project)).toHaveLength(3);
      expect((await planOf(project)).withheld).toMatchObject([{ action: 'prune', reason: { code: 'locked-until' } }]);
      await project.edit('targets: [db, tree]', 'targets: [db]');
      await project.edit('path: app.db', 'path: absent.db');
      await project.bkp('backup shop', 1);
      const { steps, withheld } = await planOf(project);
      expect(steps.map(({ action }) => action)).not.toContain('clean');
      expect(withheld).toContainEqual(
        expect.objectContaining({ action: 'clean', reason: expect.objectContaining({ code: 'locked-until' }) }),
      );
    },
  );

  it('is asked for before anything is made', { timeout: 120_000 }, async () => {
    const project = await makeShop(await testBucket(service));
    const { stderr } = await project.bkp('init --repository far', 1);
    expect(stderr).toContain('the bucket has no object lock');
    expect(stderr).toContain('--object-lock-enabled-for-bucket');
    await project.edit(LOCK, '');
    await project.bkp('init --repository far');
    expect((await project.bkp('validate --online')).stdout).toContain('no versioning and no object lock');
    await project.edit('secretAccessKey: "${env:SECRET}"', `secretAccessKey: "\${env:SECRET}"${LOCK}`);
    expect((await project.bkp('validate --online', 6)).stdout).toContain('the bucket has no object lock');
    expect((await project.bkp('doctor', 6)).stdout).toContain('repository far: cannot lock objects');
    expect((await project.bkp('doctor', 6)).stdout).toContain('repository far: cannot lock objects');
    await project.bkp('backup shop', 1);
    expect(await idsOf(project)).toEqual([]);
  });
});

describe.each(STORES)('a bucket with versions on %s', (service) => {
  it('loses what is pruned for good', { timeout: 120_000 }, async () => {
    const config = await versionedBucket('versions', service);
    const project = await makeShop(config, '');
    await project.bkp('apply --yes --init-repositories');
    for (let run = 0; run < 2; run++) await project.bkp('backup shop');
    const ids = await idsOf(project);
    await project.bkp('apply --yes');
    expect(await idsOf(project)).toEqual(ids.slice(0, 2));
    expect(await leftOf(config, ids[2] ?? '', service)).toEqual([]);
    expect((await project.bkp('list --deleted')).stdout).toBe('No snapshots.\n');

    const [newest = '', other = ''] = ids;
    for (const id of [newest, other])
      await adminOf(service).deleteObject({ Bucket: config.bucket, Key: `deep/prefix/manifests/shop/${id}.json` });
    expect(await idsOf(project, ' --deleted')).toEqual([newest, other]);
    await project.bkp('apply --yes');
    expect(await idsOf(project, ' --deleted')).toEqual([newest, other]);
    await project.bkp(`destroy shop@${other} --yes`);
    expect(await leftOf(config, other, service)).toEqual([]);
    expect(await idsOf(project, ' --deleted')).toEqual([newest]);
    expect((await project.bkp('diff shop@' + newest + ' shop@latest')).stdout).not.toBe('');
  });
});

describe.each(STORES)('a copy in a bucket with object lock on %s', (service) => {
  it(
    'is locked on its own, also what is brought back, and keeps what is protected held',
    { timeout: 120_000 },
    async () => {
      const config = await versionedBucket('locks', service);
      const admin = adminOf(service);
      const project = await makeShop(config);
      await project.edit('repositories:\n', 'repositories:\n  near: { type: directory, path: near }\n');
      await project.edit('[far]', '[near, far]');
      await project.bkp('apply --yes --init-repositories');
      const [id = ''] = await idsOf(project);
      const lockedUntil = async (repository: string): Promise<unknown> => {
        const shown = jsonOf(await project.bkp(`show shop@${id} --repository ${repository} --format json`));
        return (shown['manifest'] as Readonly<Record<string, unknown>>)['lockedUntil'];
      };
      expect(await lockedUntil('near')).toBeUndefined();
      const until = await lockedUntil('far');
      expect(until).toMatch(/^\d{4}-/);
      await project.bkp(`protect shop@${id} --reason upgrade`);

      const Key = `deep/prefix/snapshots/shop/${id}/db.db.zst`;
      await admin.putObject({ Bucket: config.bucket, Key, Body: 'junk' });
      await project.bkp(`verify shop@${id}`, 1);
      expect((await planOf(project)).steps.map(({ action }) => action)).toEqual(['replace']);
      await project.bkp('apply --yes');
      await project.bkp(`verify shop@${id} --deep`);
      const head = await admin.headObject({ Bucket: config.bucket, Key });
      expect(head.ObjectLockRetainUntilDate?.toISOString()).toBe(until);
      expect(head.ObjectLockLegalHoldStatus).toBe('ON');

      await project.bkp('backup shop');
      const ids = await idsOf(project, ' --repository near');
      await project.bkp('apply --yes');
      expect(await idsOf(project, ' --repository far')).toEqual(ids);
      expect(
        (await project.bkp(`destroy shop@${ids[0] ?? ''} --force shop@${ids[0] ?? ''} --yes`, 6)).stderr,
      ).toContain('far keeps it until');
      expect(await idsOf(project, ' --repository near')).toEqual(ids);
    },
  );
});

it('a hold that the store refuses is told, and the mark is set all the same', { timeout: 120_000 }, async () => {
  const config = await versionedBucket('locks');
  const project = await makeShop(config, '');
  await project.bkp('apply --yes --init-repositories');
  const of = [
    's3:ListBucket',
    's3:ListBucketVersions',
    's3:GetBucketVersioning',
    's3:GetBucketObjectLockConfiguration',
  ];
  const limited = await withRights(config, [...of, 's3:GetObject', 's3:GetObjectVersion', 's3:PutObject']);
  const other = withKeys(project, limited);
  const { stdout, stderr } = await other.bkp('protect shop@latest', 7);
  expect(stdout).not.toContain('held');
  expect(stderr).toContain('far: the mark is set, a hold is not');
  expect(stderr).toContain('s3:PutObjectLegalHold');
  expect(jsonOf(await other.bkp('list --format json'))['snapshots']).toMatchObject([{ protected: true }]);
});

it('a signed manifest tells the end of its lock, in a copy too, and what is written over it counts for nothing', async () => {
  const config = await versionedBucket('locks');
  const { bucket, endpoint = '' } = config;
  const far = `{ type: s3, bucket: ${bucket}, prefix: deep/prefix, endpoint: "${endpoint}", accessKeyId: "\${env:KEY}", secretAccessKey: "\${env:SECRET}"${LOCK} }`;
  const made = await makeProject(POLICY);
  onTestFinished(() => made.remove());
  const project = withKeys(made, config);
  const publicKey = (await project.bkp('keygen signing signing.key')).stdout.trim();
  const signing = `signing: { publicKeys: ["${publicKey}"], privateKey: "\${file:signing.key}" }\nrepositories:`;
  await project.policy(POLICY.replace('{ type: directory, path: far }', far).replace('repositories:', signing));
  await project.bkp('apply --yes --init-repositories');
  const planned = await project.bkp('plan --detailed-exitcode');
  expect(planned.stdout).toContain('No changes.');
  expect(planned.stdout).not.toContain('Warning');
  const [id = ''] = await idsOf(project, ' --repository far');
  const Key = `deep/prefix/manifests/shop/${id}.json`;
  const admin = adminOf(STORE);
  const stored = await (await admin.getObject({ Bucket: bucket, Key })).Body?.transformToString();
  expect(stored).toContain('"lockedUntil"');
  expect(stored).toContain(publicKey);
  const forged = stored?.replace('"protect": false', '"protect": true') ?? '';
  await admin.putObject({ Bucket: bucket, Key, Body: forged });
  expect((await planOf(project)).warnings.map(({ message }) => message).join()).toContain(id);
  await rm(project.path('near'), { recursive: true });
  project.sql('DELETE FROM events');
  await project.bkp(`restore shop@${id} --repository far --target db --mode replace --yes`);
  expect(project.count('events')).toBe(500);
});
