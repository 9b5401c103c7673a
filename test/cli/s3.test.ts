import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { S3Repository } from '../../src/generated/policy.ts';
import { ageKey } from '../streams/age-keys.ts';
import { connectionOf } from '../services/connection.ts';
import { adminOf, objectsIn, STORE, testBucket } from '../repositories/s3/bucket.ts';
import { startProxy } from '../repositories/s3/proxy.ts';
import { makeProject, POLICY, type Project } from './project.ts';
import { jsonOf, makePlace, type Place, withEnvironment } from './run-bkp.ts';

const policyFor = ({ bucket, endpoint = '' }: S3Repository): string =>
  POLICY.replace(
    'far: { type: directory, path: far }',
    `far: { type: s3, bucket: ${bucket}, prefix: deep/prefix, endpoint: "${endpoint}", accessKeyId: "\${env:KEY}", secretAccessKey: "\${env:SECRET}" }`,
  );

/** A shop whose second repository is a bucket; `endpoint` may be that of a proxy. */
async function makeShop(endpoint?: string): Promise<{ readonly project: Project; readonly config: S3Repository }> {
  const made = await testBucket();
  const config = endpoint === undefined ? made : { ...made, endpoint };
  const project = await makeProject(policyFor(config));
  onTestFinished(() => project.remove());
  return { project: withKeys(project, config), config };
}

/** The same place with the credentials in its environment. */
const withKeys = <P extends Place>(place: P, { accessKeyId = '', secretAccessKey = '' }: S3Repository): P =>
  withEnvironment(place, { KEY: accessKeyId, SECRET: secretAccessKey });

/** Signed URLs give the stored bytes to somebody without credentials. */
async function urlsWork(project: Project): Promise<void> {
  await project.bkp('download shop@latest stored --repository far --target db');
  const stored = await readFile(project.path('stored', 'db.db.zst'));
  const plain = await project.bkp('download shop@latest --repository far --target db --print-url --format plain');
  const answer = await fetch(plain.stdout.trim());
  expect(Buffer.from(await answer.arrayBuffer()).equals(stored)).toBe(true);
  const text = await project.bkp('download shop@latest --repository far --target db --print-url --expires 2h');
  expect(text.stdout).toMatch(/^curl --fail --output 'db\.db\.zst' 'http[^']*X-Amz-Expires=7200[^']*'\n$/);
  expect(text.stderr).toContain('valid until');
  const json = jsonOf(await project.bkp('download shop@latest --print-url --format json'));
  expect(json['urls']).toHaveLength(2);
  const wrong = (plain.stdout.trim() + '0').replace(/Signature=./, 'Signature=0');
  expect((await fetch(wrong)).status).toBe(403);
  expect((await project.bkp('download shop@latest --print-url --expires 8d', 4)).stderr).toContain('7d');
  expect((await project.bkp('download shop@latest', 4)).stderr).toContain('name the folder');
}

const idsOf = async (place: Place, args: string): Promise<readonly string[]> => {
  const { snapshots } = jsonOf(await place.bkp(`list --format json ${args}`));
  return (snapshots as readonly { readonly id: string }[]).map(({ id }) => id);
};

describe('an S3 repository', () => {
  it('goes through the life of a policy', async () => {
    const { project, config } = await makeShop();
    expect((await project.bkp('validate')).stdout).not.toContain('BKP2044');
    await project.bkp('init --repository near');
    expect((await project.bkp('init --repository far')).stdout).toContain(`${config.endpoint}/${config.bucket}/deep`);
    expect((await project.bkp('init --repository far')).stdout).toContain('there already');
    expect((await project.bkp('validate --online')).stdout).toContain('writable');
    expect((await project.bkp('plan')).stdout).toContain('shop@far');
    await project.bkp('apply --yes');
    expect((await project.bkp('plan --detailed-exitcode')).stdout).toContain('No changes.');
    const [id = ''] = await idsOf(project, '--repository far');
    expect(await objectsIn(config)).toContain(`deep/prefix/manifests/shop/${id}.json`);
    expect((await project.bkp('verify --repository far --deep')).stdout).toContain('Good: 1 stored snapshot.');
    project.sql('DELETE FROM events');
    await rm(project.path('near'), { recursive: true });
    await project.bkp('restore shop@latest --repository far --target db --mode replace --yes');
    expect(project.count('events')).toBe(500);
    await project.bkp('download shop@latest out --repository far --native --target db');
    expect((await readFile(project.path('out', 'db.db'))).toString('latin1', 0, 15)).toBe('SQLite format 3');
    await urlsWork(project);
  });

  it('keeps encrypted copies of what is plain at home', async () => {
    const { project, config } = await makeShop();
    const key = await ageKey(project.path('.'));
    await project.edit('far: { type: s3,', `far: { type: s3, encryption: { recipients: [${key.recipient}] },`);
    await project.bkp('apply --yes --init-repositories');
    const keys = await objectsIn(config);
    expect(keys.filter((name) => name.endsWith('.age'))).toHaveLength(2);
    expect(keys.filter((name) => /\.(db|tar|zst)$/.test(name))).toEqual([]);
    project.sql('DELETE FROM events');
    await rm(project.path('near'), { recursive: true });
    const restore = 'restore shop@latest --repository far --target db --mode replace --yes';
    expect((await project.bkp(restore, 4)).stderr).toContain('no identity was given');
    expect(project.count('events')).toBe(0);
    expect((await project.bkp('verify --repository far --deep', 4)).stderr).toContain('no identity was given');
    await project.bkp(`verify --repository far --deep --identity ${key.file}`);
    await project.bkp(`${restore} --identity ${key.file}`);
    expect(project.count('events')).toBe(500);
  });

  it('captures into a bucket alone, prunes there and forgets what is destroyed', async () => {
    const { project, config } = await makeShop();
    await project.edit('repositories: [near, far]', 'repositories: [far]');
    await project.bkp('apply --yes --init-repositories');
    const [first = ''] = await idsOf(project, '--repository far');
    for (let round = 0; round < 2; round++) await project.bkp('backup shop');
    expect(await idsOf(project, '--repository far')).toHaveLength(3);
    await project.bkp('apply --yes');
    const left = await idsOf(project, '--repository far');
    expect(left).toHaveLength(2);
    expect(left).not.toContain(first);
    expect((await objectsIn(config)).filter((key) => key.includes(`snapshots/shop/${first}`))).toEqual([]);
    const { stdout } = await project.bkp(`destroy shop@${left[1]} --yes`);
    expect(stdout).toContain('Destroyed');
    expect(await idsOf(project, '--repository far')).toEqual([left[0]]);
  });

  it('is all that is needed when the policy is gone', async () => {
    const { project, config } = await makeShop();
    await project.edit('repositories: [near, far]', 'repositories: [far]');
    await project.bkp('apply --yes --init-repositories');
    const place = await makePlace();
    onTestFinished(() => place.remove());
    const env = { AWS_ACCESS_KEY_ID: config.accessKeyId ?? '', AWS_SECRET_ACCESS_KEY: config.secretAccessKey ?? '' };
    const url = `s3://${config.bucket}/deep/prefix?endpoint=${config.endpoint}`;
    const run = async (...args: string[]): Promise<string> => {
      const result = await place.run([...args, '--repository', url], { env });
      expect(result.exitCode, result.stderr).toBe(0);
      return result.stdout;
    };
    expect(await run('list')).toContain('shop');
    expect(await run('show', 'shop@latest', '--policy')).toContain('${env:SECRET}');
    expect(await run('verify', '--deep')).toContain('Good: 1 stored snapshot.');
    await run('restore', 'shop@latest', '--target', 'db', '--into', `path=${project.path('new.db')}`, '--yes');
    expect(project.count('events', 'new.db')).toBe(500);
    await mkdir(`${place.env['HOME']}/.aws`);
    const keys = `aws_access_key_id=${config.accessKeyId}\naws_secret_access_key=${config.secretAccessKey}\n`;
    await writeFile(`${place.env['HOME']}/.aws/credentials`, `[off-site]\n${keys}`);
    const byProfile = await place.run(['list', '--repository', `${url}&profile=off-site`]);
    expect(byProfile.stdout, byProfile.stderr).toContain('shop');
    const withoutKeys = await place.run(['list', '--repository', url], { env: { AWS_EC2_METADATA_DISABLED: 'true' } });
    expect(withoutKeys.exitCode).toBe(1);
    expect(withoutKeys.stderr).toContain('there are no credentials');
    const elsewhere = url.replace('deep/prefix', 'other');
    const { exitCode, stderr } = await place.run(['list', '--repository', elsewhere], { env });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('bkp-repository.json is missing');
  });

  it('that a capture goes to first gives nothing back for the copy', async () => {
    const proxy = await startProxy(connectionOf(STORE)['endpoint'] ?? '');
    const { project } = await makeShop(proxy.endpoint);
    await project.edit('repositories: [near, far]', 'repositories: [far, near]');
    await project.bkp('init --repository near');
    await project.bkp('init --repository far');
    const from = proxy.seen.length;
    await project.bkp('apply --yes --only create,copy');
    const read = proxy.seen.slice(from).filter(({ method, path }) => method === 'GET' && path.includes('/snapshots/'));
    expect(read.filter(({ path }) => !path.endsWith('begin.json'))).toEqual([]);
    expect(await idsOf(project, '--repository near')).toEqual(await idsOf(project, '--repository far'));
    expect((await project.bkp('verify --deep')).stdout).toContain('Good: 2 stored snapshots.');
  });

  it('copies what it has already by itself', async () => {
    const proxy = await startProxy(connectionOf(STORE)['endpoint'] ?? '');
    const { project } = await makeShop(proxy.endpoint);
    await project.bkp('apply --yes --init-repositories');
    const from = proxy.seen.length;
    await project.bkp('backup shop');
    const copied = proxy.seen.slice(from).filter(({ headers }) => headers['x-amz-copy-source'] !== undefined);
    expect(copied.map(({ path }) => path.replace(/.*\//, '')).toSorted()).toEqual(['db.db.zst', 'tree.tar.zst']);
    const sent = proxy.seen.slice(from).filter(({ method, path }) => method === 'PUT' && path.endsWith('.zst'));
    expect(sent.filter((passing) => !copied.includes(passing))).toEqual([]);
    expect((await project.bkp('verify --repository far --deep')).stdout).toContain('Good: 2 stored snapshots.');
  });

  it('that cannot be reached leaves the others complete, and the next run catches up', async () => {
    const proxy = await startProxy(connectionOf(STORE)['endpoint'] ?? '');
    const { project, config } = await makeShop(proxy.endpoint);
    await project.bkp('apply --yes --init-repositories');
    proxy.meet(({ method }) => (method === 'GET' ? undefined : { kind: 'answer', status: 403, code: 'AccessDenied' }));
    const { stdout, stderr } = await project.bkp('backup shop', 7);
    expect(stdout + stderr).toContain('permission denied');
    expect(stdout + stderr).not.toContain(config.secretAccessKey);
    proxy.meet(() => undefined);
    await project.bkp('apply --yes');
    expect(await idsOf(project, '--repository far')).toEqual(await idsOf(project, '--repository near'));
  });

  it('with a bucket that is not there is told, and nothing is made', async () => {
    const { project, config } = await makeShop();
    await project.edit(`bucket: ${config.bucket}`, 'bucket: there-is-no-such-bucket');
    const { stderr } = await project.bkp('init --repository far', 1);
    expect(stderr).toContain('the bucket does not exist');
    expect((await project.bkp('plan', 7)).stdout).toContain('the bucket does not exist');
    const { Buckets = [] } = await adminOf(STORE).listBuckets({});
    expect(Buckets.map(({ Name }) => Name)).not.toContain('there-is-no-such-bucket');
  });

  it('refuses a store that ignores If-None-Match when it is made', async () => {
    const proxy = await startProxy(connectionOf(STORE)['endpoint'] ?? '');
    const { project, config } = await makeShop(proxy.endpoint);
    proxy.meet(({ method, headers, path }) =>
      method === 'PUT' && headers['if-none-match'] === '*'
        ? {
            kind: 'do',
            run: async (Body) => {
              const Key = path.slice(config.bucket.length + 2);
              const { ETag = '' } = await adminOf(STORE).putObject({ Bucket: config.bucket, Key, Body });
              return { status: 200, etag: ETag };
            },
          }
        : undefined,
    );
    expect((await project.bkp('init --repository far', 1)).stderr).toContain('singleWriter');
    expect(await objectsIn(config)).toEqual([]);
    await project.edit('type: s3,', 'type: s3, singleWriter: true,');
    await project.bkp('init --repository far');
    await project.bkp('init --repository near');
    await project.bkp('apply --yes');
    expect(await idsOf(project, '--repository far')).toHaveLength(1);
  });
});
