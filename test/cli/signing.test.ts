import { chmod, cp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { makeSigningKeys } from '../../src/signing/ed25519-key.ts';
import { ageKey } from '../streams/age-keys.ts';
import { makeProject, POLICY, renewed, testProject, type Project } from './project.ts';
import { jsonOf } from './run-bkp.ts';

const [mine, theirs] = [makeSigningKeys(), makeSigningKeys()];
const signedWith = (publicKeys: readonly string[], privateKey = 'signing.key'): string =>
  `signing: { publicKeys: ${JSON.stringify(publicKeys)}${privateKey === '' ? '' : `, privateKey: "\${file:${privateKey}}"`} }\n`;
const policyWith = (signing: string, policy = POLICY): string =>
  policy.replace('repositories:', `${signing}repositories:`);
const SIGNED = policyWith(signedWith([mine.publicKey]));

/** The keys and a policy of somebody else, who can write to the repositories too. */
async function addKeys(project: Project): Promise<void> {
  await writeFile(project.path('signing.key'), `# mine\n${mine.privateKey}\n`, { mode: 0o600 });
  await writeFile(project.path('theirs.key'), theirs.privateKey, { mode: 0o600 });
  await writeFile(project.path('theirs.yaml'), policyWith(signedWith([theirs.publicKey], 'theirs.key')));
  await writeFile(project.path('nobody.yaml'), POLICY);
}

const base = await makeProject(SIGNED);
await addKeys(base);
await base.bkp('apply --yes --init-repositories');
await base.bkp('protect shop@latest --reason audit');
afterAll(() => base.remove());
const [id = ''] = await base.ids();
const fresh = await renewed(base);

const manifestOf = (project: Project, repository: string, of = id): string =>
  project.path(repository, 'manifests', 'shop', `${of}.json`);

/** Changes a stored manifest by hand. */
async function tamper(project: Project, repository: string, of = id): Promise<void> {
  const path = manifestOf(project, repository, of);
  await writeFile(path, (await readFile(path, 'utf8')).replace('"protect": false', '"protect": true'));
}

describe('a signed backup', () => {
  it('signs every manifest and mark, and copies them as they are', async () => {
    const project = await fresh();
    const [near, far] = await Promise.all(['near', 'far'].map((one) => readFile(manifestOf(project, one), 'utf8')));
    expect(near).toBe(far);
    const marks = await readdir(project.path('near', 'marks', 'shop'));
    expect(marks.length).toBeGreaterThan(1);
    for (const mark of marks)
      expect(await readFile(project.path('near', 'marks', 'shop', mark), 'utf8')).toContain(mine.publicKey);
    expect((await project.bkp(`show ${id}`)).stdout).toContain(`signed with  ${mine.publicKey}`);
    const planned = await project.bkp('plan --detailed-exitcode');
    expect(planned.stdout).toContain('No changes.');
    expect(planned.stdout).not.toContain('Warning');
    // Whoever asks for no signatures reads it as ever.
    expect((await project.bkp('plan -f nobody.yaml --detailed-exitcode')).stdout).toContain('No changes.');
  });

  it('plans and restores without a private key, and refuses to write before anything is done', async () => {
    const project = await fresh();
    await project.policy(policyWith(signedWith([mine.publicKey], '')));
    await project.bkp('plan');
    await project.bkp('restore shop@latest --target db --into path=new.db --yes');
    expect(project.count('events', 'new.db')).toBe(500);
    const before = await readdir(project.path('near', 'runs', 'shop'));
    for (const command of [
      'backup shop',
      `protect ${id}`,
      `unprotect ${id}`,
      `sign ${id}`,
      'upload app.db --target db',
    ]) {
      const { stderr } = await project.bkp(command, 6);
      expect(stderr).toContain(
        'cannot sign snapshots: the policy names `signing.publicKeys` and no `signing.privateKey`',
      );
    }
    await project.policy(policyWith(signedWith([mine.publicKey], 'theirs.key')));
    const { stderr } = await project.bkp('backup shop', 6);
    expect(stderr).toContain('the public half of `signing.privateKey` is not among `signing.publicKeys`');
    await project.policy(policyWith(signedWith([mine.publicKey], 'nowhere.key')));
    expect((await project.bkp('backup shop', 6)).stderr).toContain('nowhere.key');
    expect(await readdir(project.path('near', 'runs', 'shop'))).toEqual(before);
    expect(await readdir(project.path('near', 'snapshots', 'shop'))).toEqual([id]);
  });

  it('of which a manifest was changed by hand never counts, and is neither restored nor removed', async () => {
    const project = await fresh();
    await tamper(project, 'near');
    await tamper(project, 'far');
    // A machine that never read it: to others it is one that changed.
    const cold = { env: { XDG_CACHE_HOME: project.path('.cold') } };
    const planned = await project.run(['plan', '--format', 'json'], cold);
    const { steps, withheld, warnings } = JSON.parse(planned.stdout) as Record<string, Record<string, unknown>[]>;
    expect(steps?.map(({ action }) => action)).toEqual(['create', 'copy', 'verify', 'verify']);
    expect(withheld).toMatchObject([
      { action: 'prune', address: 'shop@near', snapshot: id, reason: { code: 'unsigned' } },
      { action: 'prune', address: 'shop@far', snapshot: id, reason: { code: 'unsigned' } },
    ]);
    expect(warnings?.filter(({ code }) => code === 'drift')).toHaveLength(2);
    const restore = ['restore', id, '--target', 'db', '--into', 'path=new.db', '--yes'];
    const refused = await project.run(restore, cold);
    expect(refused).toMatchObject({
      exitCode: 6,
      stderr: expect.stringContaining('its signature is wrong') as unknown,
    });
    expect(await project.run(['restore', 'shop@latest', '--yes'], cold)).toMatchObject({ exitCode: 1 });
    const verified = await project.run(['verify', id], cold);
    expect(verified).toMatchObject({
      exitCode: 1,
      stdout: expect.stringContaining('its signature is wrong') as unknown,
    });
    const downloaded = await project.run(['download', id, 'out', '--target', 'db'], cold);
    expect(downloaded).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('does not count') as unknown });
    expect((await project.run(['list'], cold)).stdout).toContain('UNSIGNED');
    await project.run([...restore, '--accept-unsigned'], cold);
    expect(project.count('events', 'new.db')).toBe(500);
    await project.run(['apply', '--yes'], cold);
    for (let run = 0; run < 3; run += 1) await project.run(['backup', 'shop'], cold);
    expect(await stat(manifestOf(project, 'near'))).toBeDefined();
    expect(await readdir(project.path('near', 'snapshots', 'shop'))).toContain(id);
  });

  it('is restored from the repository where nobody changed it', async () => {
    const project = await fresh();
    await tamper(project, 'near');
    const cold = { env: { XDG_CACHE_HOME: project.path('.cold') } };
    const restore = ['restore', 'shop@latest', '--target', 'db', '--into', 'path=new.db', '--yes', '--format', 'json'];
    expect(await project.run(restore, cold)).toMatchObject({ exitCode: 0 });
    expect(project.count('events', 'new.db')).toBe(500);
    const planned = JSON.parse((await project.run(['plan', '--format', 'json'], cold)).stdout) as Record<
      string,
      unknown[]
    >;
    expect(planned['steps']).toEqual([]);
    expect(planned['withheld']).toHaveLength(1);
  });

  it('is judged by the bytes that are restored, whatever the catalog remembers', async () => {
    const project = await fresh();
    await project.bkp('plan');
    await tamper(project, 'near');
    await tamper(project, 'far');
    const { stderr } = await project.bkp(`restore ${id} --target db --into path=new.db --yes`, 1);
    expect(stderr).toContain('cannot find snapshot');
  });

  it.each(['nobody.yaml', 'theirs.yaml'])(
    'is neither freed nor removed by what the policy %s writes',
    async (other) => {
      const project = await fresh();
      await project.bkp(`unprotect ${id} -f ${other}`);
      await project.bkp(`backup shop -f ${other}`);
      const planned = await project.bkp('plan --format json');
      const { withheld, warnings, keep, steps } = JSON.parse(planned.stdout) as Record<
        string,
        Record<string, unknown>[]
      >;
      expect(steps).toEqual([]);
      expect(keep?.map(({ snapshot }) => snapshot)).toContain(id);
      expect(new Set(withheld?.map(({ reason }) => (reason as { code: string }).code))).toEqual(new Set(['unsigned']));
      expect(warnings?.map(({ code }) => code)).toContain('unsigned');
      expect((await project.bkp(`destroy ${id} --yes`, 6)).stderr).toContain('it is protected: audit');
      expect(
        (await project.bkp('restore shop@latest --target db --into path=new.db --yes --format json')).stdout,
      ).toContain(id);
    },
  );
});

describe('bkp sign', () => {
  it('adopts what was stored before, and plans count it from then on', async () => {
    const project = await testProject(POLICY);
    await addKeys(project);
    await project.bkp('apply --yes --init-repositories');
    const [old = ''] = await project.ids();
    await project.bkp(`protect ${old}`);
    await project.policy(SIGNED);
    expect((await project.bkp('restore shop@latest --yes', 1)).stderr).toContain('there is no good snapshot');
    const { stdout } = await project.bkp(`sign ${old} --format json`);
    expect(jsonOf({ stdout })).toMatchObject({
      publicKey: mine.publicKey,
      signed: [
        { snapshot: `shop@${old}`, repository: 'near', outcome: 'signed' },
        { snapshot: `shop@${old}`, repository: 'far', outcome: 'signed' },
      ],
    });
    const planned = await project.bkp('plan --detailed-exitcode');
    expect(planned.stdout).toContain('No changes.');
    expect(planned.stdout).not.toContain('Warning');
    expect((await project.bkp('list')).stdout).toContain('verified,protected');
    expect((await project.bkp(`sign ${old}`)).stdout).toContain(`Counts already: shop@${old} in near`);
    await project.bkp('restore shop@latest --target db --into path=new.db --yes');
    expect(project.count('events', 'new.db')).toBe(500);
  });

  it('signs nothing whose bytes are not those of the manifest, and needs keys', async () => {
    const project = await testProject(POLICY);
    await addKeys(project);
    await project.bkp('apply --yes --init-repositories');
    const [old = ''] = await project.ids();
    expect((await project.bkp(`sign ${old}`, 4)).stderr).toContain('the policy has no `signing`');
    await project.policy(SIGNED);
    await writeFile(project.path('near', 'snapshots', 'shop', old, 'db.db.zst'), 'something else');
    expect((await project.bkp(`sign ${old}`, 7)).stdout).toMatch(
      new RegExp(`Did not sign shop@${old} in near: .*\nSigned shop@${old} in far`),
    );
    // What is right elsewhere is no reason to touch what does not count.
    expect((await project.bkp('plan')).stdout).toContain('unsigned');
  });
});

describe('keys', () => {
  it('rotate: the old ones count as long as the policy names them', async () => {
    const project = await fresh();
    await project.policy(policyWith(signedWith([theirs.publicKey, mine.publicKey], 'theirs.key')));
    await project.bkp('backup shop');
    expect((await project.bkp('plan --detailed-exitcode')).stdout).toContain('No changes.');
    await project.policy(policyWith(signedWith([theirs.publicKey], 'theirs.key')));
    const { stdout } = await project.bkp('plan');
    expect(stdout).toContain(`unsigned: it is signed with ${mine.publicKey}, which the policy does not name`);
    await project.bkp(`sign ${id}`);
    const after = await project.bkp('list');
    expect(after.stdout).not.toContain('UNSIGNED');
  });

  it('of bkp keygen signing are for their owner only and never overwritten', async () => {
    const project = await fresh();
    const { stdout } = await project.bkp('keygen signing new.key');
    expect(stdout).toMatch(/^ed25519:[\w+/]{43}=\n$/);
    expect((await stat(project.path('new.key'))).mode & 0o777).toBe(0o600);
    expect((await project.bkp('keygen signing new.key', 6)).stderr).toContain('a private key is never overwritten');
    await project.policy(policyWith(signedWith([stdout.trim()], 'new.key')));
    await project.bkp('backup shop');
    const shown = jsonOf(await project.bkp('show shop@latest --format json'));
    expect(shown).toMatchObject({ manifest: { signature: { publicKey: stdout.trim() } } });
  });

  it('are looked at by validate and doctor where they are at hand', async () => {
    const project = await fresh();
    const codesOf = async (exitCode: 0 | 4 = 0): Promise<readonly unknown[]> => {
      const { diagnostics } = jsonOf(await project.bkp('validate --format json', exitCode)) as {
        readonly diagnostics: readonly { readonly code: string }[];
      };
      return diagnostics.map(({ code }) => code).filter((code) => code.startsWith('BKP208'));
    };
    expect(await codesOf()).toEqual([]);
    await chmod(project.path('signing.key'), 0o644);
    expect(await codesOf()).toEqual(['BKP2082']);
    expect((await project.bkp('doctor')).stdout).toContain('signing.key can be read by others');
    await project.policy(policyWith(signedWith([mine.publicKey], 'theirs.key')));
    expect(await codesOf(4)).toEqual(['BKP2081']);
    expect((await project.bkp('doctor', 6)).stdout).toContain('is not among `publicKeys`');
    await project.policy(policyWith(signedWith([mine.publicKey], 'nowhere.key')));
    expect(await codesOf()).toEqual([]);
  });
});

describe('without a policy', () => {
  it('only what is signed with the given key counts', async () => {
    const project = await fresh();
    const list = `list --repository ${project.path('near')}`;
    expect((await project.bkp(`${list} --trusted-key ${mine.publicKey}`)).stdout).not.toContain('UNSIGNED');
    expect((await project.bkp(`${list} --trusted-key ${theirs.publicKey}`)).stdout).toContain('UNSIGNED');
    const restore = `restore ${id} --repository ${project.path('near')} --target db --into path=new.db --yes`;
    await project.bkp(`${restore} --trusted-key ${theirs.publicKey}`, 6);
    await project.bkp(`${restore} --trusted-key ${mine.publicKey}`);
    expect(project.count('events', 'new.db')).toBe(500);
    expect((await project.bkp(`${list} --trusted-key nothing`, 4)).stderr).toContain('cannot use --trusted-key');
    expect((await project.bkp(`list --trusted-key ${mine.publicKey}`, 4)).stderr).toContain('with a policy');
  });
});

it('a prune lets go what is signed, on the word of what is signed', async () => {
  const project = await testProject(SIGNED.replace('verify: { every: 7d }', ''));
  await addKeys(project);
  await project.bkp('apply --yes --init-repositories');
  const [first = ''] = await project.ids();
  await project.bkp('backup shop');
  await project.bkp('backup shop');
  expect(await project.ids()).toHaveLength(3);
  await project.bkp('apply --yes');
  const left = await project.ids();
  expect(left).toHaveLength(2);
  expect(left).not.toContain(first);
  const marks = await readdir(project.path('near', 'marks', 'shop'));
  const released = marks.find((mark) => mark.endsWith('-released.json')) ?? '';
  expect(await readFile(project.path('near', 'marks', 'shop', released), 'utf8')).toContain(mine.publicKey);
  expect((await project.bkp('plan --detailed-exitcode')).stdout).toContain('No changes.');
});

it('a snapshot moved to another name or repository by hand counts where it belongs only', async () => {
  const project = await fresh();
  const moved = id.replace(/.$/, (last) => (last === 'a' ? 'b' : 'a'));
  await cp(project.path('near', 'snapshots', 'shop', id), project.path('near', 'snapshots', 'shop', moved), {
    recursive: true,
  });
  const text = await readFile(manifestOf(project, 'near'), 'utf8');
  await writeFile(manifestOf(project, 'near', moved), text.replace(`"id": "${id}"`, `"id": "${moved}"`));
  const { stdout } = await project.bkp('plan --format json');
  const { withheld, steps } = JSON.parse(stdout) as Record<string, Record<string, unknown>[]>;
  expect(steps).toEqual([]);
  expect(withheld).toMatchObject([{ address: 'shop@near', snapshot: moved, reason: { code: 'unsigned' } }]);
});

it('a copy that is encrypted anew is signed anew, and counts', async () => {
  const reader = await ageKey(base.folder, 'reader');
  const encrypted = `path: far, encryption: { recipients: [${reader.recipient}] } }`;
  const project = await testProject(SIGNED.replace('path: far }', encrypted));
  await addKeys(project);
  await project.bkp('apply --yes --init-repositories');
  const [made = ''] = await project.ids();
  const [near, far] = await Promise.all(['near', 'far'].map((one) => readFile(manifestOf(project, one, made), 'utf8')));
  expect(far).not.toBe(near);
  expect(far).toContain(mine.publicKey);
  expect((await project.bkp('list')).stdout).not.toContain('UNSIGNED');
  expect((await project.bkp('plan --detailed-exitcode')).stdout).toContain('No changes.');
  const restore = `restore ${made} --repository ${project.path('far')} --target db --into path=new.db --yes`;
  await project.bkp(`${restore} --identity ${reader.file} --trusted-key ${mine.publicKey}`);
  expect(project.count('events', 'new.db')).toBe(500);
});

it('what was changed by hand is not signed on its way into another repository', async () => {
  const project = await fresh();
  await rm(project.path('far'), { recursive: true });
  await tamper(project, 'near');
  const cold = { env: { XDG_CACHE_HOME: project.path('.cold') } };
  await project.run(['init', '--repository', 'far'], cold);
  expect(await project.run(['apply', '--yes'], cold)).toMatchObject({ exitCode: 0 });
  const copied = await readdir(project.path('far', 'manifests', 'shop'));
  expect(copied).toHaveLength(1);
  expect(copied).not.toContain(`${id}.json`);
});
