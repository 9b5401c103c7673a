import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { DatabaseSync } from 'node:sqlite';
import { expect, it, onTestFinished } from 'vitest';
import type { S3Repository } from '../../src/generated/policy.ts';
import { openS3Repository } from '../../src/repositories/s3.ts';
import { makeSigningKeys } from '../../src/signing/ed25519-key.ts';
import { adminOf, objectsIn, STORE, testBucket } from '../repositories/s3/bucket.ts';
import { testContext } from '../test-context.ts';
import { makeProject, POLICY, testProject, type Project } from './project.ts';
import { jsonOf } from './run-bkp.ts';

const keys = makeSigningKeys();

/** A shop that backs up into a bucket alone and signs what it stores, with a dump of its database made elsewhere. */
async function makeShop(): Promise<{ readonly project: Project; readonly config: S3Repository }> {
  const config = await testBucket();
  const { bucket, endpoint = '', accessKeyId = '', secretAccessKey = '' } = config;
  const far = `far: { type: s3, bucket: ${bucket}, prefix: deep/prefix, endpoint: "${endpoint}", accessKeyId: ${accessKeyId}, secretAccessKey: ${secretAccessKey} }`;
  const signing = `signing: { publicKeys: ["${keys.publicKey}"], privateKey: "\${file:signing.key}" }\n`;
  const project = await makeProject(
    POLICY.replace('far: { type: directory, path: far }', far)
      .replace('repositories: [near, far]', 'repositories: [far]')
      .replace('repositories:', `${signing}repositories:`),
  );
  onTestFinished(() => project.remove());
  await writeFile(project.path('signing.key'), keys.privateKey, { mode: 0o600 });
  await project.bkp('apply --yes --init-repositories');
  const dump = new DatabaseSync(project.path("it's old.db"));
  dump.exec('CREATE TABLE events (id INTEGER PRIMARY KEY, body TEXT NOT NULL)');
  dump.exec("INSERT INTO events VALUES (1, 'from elsewhere')");
  dump.close();
  return { project, config };
}

const curl = (command: string, project: Project): Promise<unknown> =>
  promisify(execFile)('sh', ['-c', command], { cwd: project.folder });
const steps = async (project: Project, args = ''): Promise<readonly string[]> =>
  (jsonOf(await project.bkp(`plan --format json${args}`))['steps'] as { readonly action: string }[]).map(
    ({ action }) => action,
  );

it('a dump goes up by curl without credentials, is checked, adopted and signed', async () => {
  const { project, config } = await makeShop();
  const made = await project.run([
    'upload',
    "it's old.db",
    '--target',
    'db',
    '--print-url',
    '--taken-at',
    '2026-11-01',
  ]);
  expect(made.exitCode, made.stderr).toBe(0);
  expect(made.stdout).toMatch(/^curl --fail --upload-file 'it'\\''s old\.db' 'http[^']*X-Amz-Expires=3600[^']*'\n$/);
  const upload = /bkp upload --adopt (shop@\S+)/.exec(made.stderr)?.[1] ?? '';
  expect((await project.bkp(`upload --adopt ${upload}`, 1)).stderr).toContain('nothing was uploaded yet');
  await curl(made.stdout, project);
  // It is no snapshot, and nobody takes it away while it may be adopted.
  expect(await project.ids('--repository far')).toHaveLength(2);
  expect((await project.bkp('list')).stdout).toMatch(new RegExp(`${upload.slice(5)} +creating`));
  expect(await steps(project)).toEqual([]);
  await project.bkp('apply --yes');
  const adopted = await project.bkp(`upload --adopt ${upload}`);
  expect(adopted.stdout).toMatch(new RegExp(`^Adopted ${upload} as shop@20261101T000000Z-\\w+ in far`));
  const id = /as (shop@\S+)/.exec(adopted.stdout)?.[1] ?? '';
  const shown = jsonOf(await project.bkp(`show ${id} --format json`));
  expect(shown).toMatchObject({ manifest: { kind: 'adopted', signature: { publicKey: keys.publicKey } } });
  await project.bkp(`restore ${id} --target db --into path=back.db --yes`);
  expect(project.count('events', 'back.db')).toBe(1);
  // A day after the URL its place is cleaned, not before.
  expect(adopted.stderr).toContain('a day after its URL ends');
  expect(await steps(project)).not.toContain('clean');
  const later = new Date(Date.now() + 26 * 3_600_000).toISOString();
  expect(await steps(project, ` --at ${later}`)).toContain('clean');
  expect((await objectsIn(config)).filter((key) => key.includes('/upload/'))).toHaveLength(1);
});

it('what the engine finds wrong is not adopted, and may be uploaded again', async () => {
  const { project } = await makeShop();
  const { stdout } = await project.bkp('upload old.db --target db --print-url --format json');
  const { url, upload, repository } = jsonOf({ stdout });
  expect(repository).toBe('far');
  const send = (file: string): Promise<unknown> =>
    curl(`curl --fail --upload-file "${file}" '${String(url)}'`, project);
  await writeFile(project.path('wrong.db'), 'this is no database');
  await send('wrong.db');
  const refused = await project.bkp(`upload --adopt ${String(upload)}`, 1);
  expect(refused.stderr).toContain('nothing of it was kept');
  await send("it's old.db");
  await project.bkp(`upload --adopt ${String(upload)}`);
  expect((await project.bkp('list')).stdout).toContain('adopted');
});

it('one whose URL is over goes at once when it is adopted', async () => {
  const { project, config } = await makeShop();
  const { stdout, stderr } = await project.bkp('upload old.db --target db --print-url --expires 5s --format plain');
  const url = stdout.trim();
  const upload = /--adopt (\S+)/.exec(stderr)?.[1] ?? '';
  // Put there by other means, so that it does not depend on how fast this machine is.
  const Key = `deep/prefix/snapshots/shop/${upload.slice(5)}/upload/db.db`;
  await adminOf(STORE).putObject({ Bucket: config.bucket, Key, Body: await readFile(project.path("it's old.db")) });
  const end = Date.parse(/valid until (\S+),/.exec(stderr)?.[1] ?? '');
  while (Date.now() <= end + 1_000) await new Promise((resolve) => setTimeout(resolve, 100));
  await expect(curl(`curl --fail --upload-file "it's old.db" '${url}'`, project)).rejects.toThrow('403');
  await project.bkp(`upload --adopt ${upload}`);
  expect((await objectsIn(config)).filter((key) => key.includes(upload.slice(5)) && !key.includes('/marks/'))).toEqual(
    [],
  );
  expect(await steps(project)).not.toContain('clean');
});

it('a URL writes its own key only, and reads nothing', async () => {
  const { project } = await makeShop();
  const { stdout } = await project.bkp('upload old.db --target db --print-url --format plain');
  const url = stdout.trim();
  const elsewhere = url.replace(/\/snapshots\/shop\/.*\?/, '/manifests/shop/x.json?');
  expect((await fetch(elsewhere, { method: 'PUT', body: 'x' })).status).toBe(403);
  expect((await fetch(url)).status).toBe(403);
  expect((await fetch(url, { method: 'DELETE' })).status).toBe(403);
});

it('ends when it was said, however long it took to sign it', async () => {
  const { project } = await makeShop();
  const made = jsonOf(await project.bkp('upload old.db --target db --print-url --format json'));
  const signed = new URL(String(made['url'])).searchParams;
  const date = (signed.get('X-Amz-Date') ?? '').replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5');
  const end = Date.parse(date) + Number(signed.get('X-Amz-Expires')) * 1_000;
  const said = Date.parse(String(made['expiresAt']));
  expect(Math.floor(said / 1_000)).toBe(end / 1_000);

  const config = await testBucket();
  const { context } = await testContext();
  const from = new Date(Date.now() - 10_000);
  const url = await openS3Repository(config, context).presignUpload?.('a/key', { from, seconds: 5 });
  expect((await fetch(url ?? '', { method: 'PUT', body: 'content' })).status).toBe(403);
});

it('is signed without the checksum of no content, also where the store takes checksums', async () => {
  const config = await testBucket();
  const { context } = await testContext();
  const repository = openS3Repository(config, context, { checksums: true });
  const url =
    (await repository.presignUpload?.('snapshots/shop/x/upload/db.db', { from: new Date(), seconds: 60 })) ?? '';
  expect(url).not.toContain('checksum');
  expect((await fetch(url, { method: 'PUT', body: 'content' })).status).toBe(200);
  expect((await repository.read('snapshots/shop/x/upload/db.db')).toString()).toBe('content');
});

it('only a bucket gives URLs, and only what was made can be adopted', async () => {
  const project = await testProject();
  await project.bkp('apply --yes --init-repositories');
  expect((await project.bkp('upload app.db --target db --print-url', 4)).stderr).toContain('no repository of shop');
  expect((await project.bkp('upload --adopt shop@20261101T000000Z-00000000', 1)).stderr).toContain(
    'no place to upload to',
  );
  expect((await project.bkp('upload app.db --adopt x', 4)).stderr).toContain('name a file, or');
  expect((await project.bkp('upload', 4)).stderr).toContain('name a file, or');
  expect((await project.bkp('upload --adopt x --target db', 4)).stderr).toContain('cannot adopt x with --target');
});
