import { existsSync } from 'node:fs';
import { appendFile, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { ageKey, sshKey } from '../streams/age-keys.ts';
import { pathWith } from '../streams/tools.ts';
import { makeProject, POLICY, testProject, type Project } from './project.ts';
import { jsonOf } from './run-bkp.ts';

const keys = await mkdtemp(join(tmpdir(), 'bkp-keys-'));
afterAll(() => rm(keys, { recursive: true, force: true }));
const [mine, theirs] = [await ageKey(keys, 'mine'), await ageKey(keys, 'theirs')];

/** A repository's encryption as the policy writes it; none for null. */
function policyWith(near: string | null, far: string | null): string {
  const encryption = (recipient: string | null): string =>
    recipient === null ? '' : `, encryption: { recipients: [${recipient}] }`;
  return POLICY.replace('path: near }', `path: near${encryption(near)} }`).replace(
    'path: far }',
    `path: far${encryption(far)} }`,
  );
}

interface Withheld {
  readonly withheld: readonly {
    readonly action: string;
    readonly address: string;
    readonly reason: { readonly code: string };
  }[];
  readonly steps: readonly { readonly action: string; readonly from: string | null }[];
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
}
const planOf = async (project: Project, args = ''): Promise<Withheld> =>
  jsonOf(await project.bkp(`plan --format json${args}`)) as unknown as Withheld;

const stored = (project: Project, repository: string, id: string, key: string): Promise<Buffer> =>
  readFile(project.path(repository, 'snapshots', 'shop', id, key));

describe('repositories with different readers', () => {
  it('a plain snapshot is encrypted on its way, without any private key', async () => {
    const project = await testProject(policyWith(null, mine.recipient));
    await project.bkp('apply --yes --init-repositories');
    const [id = ''] = await project.ids();
    expect((await stored(project, 'near', id, 'db.db.zst')).readUInt32LE()).toBe(0xfd2fb528);
    expect((await stored(project, 'far', id, 'db.db.zst.age')).toString('latin1', 0, 21)).toBe('age-encryption.org/v1');
    const { manifest } = jsonOf(await project.bkp(`show --repository far ${id} --format json`)) as {
      readonly manifest: {
        readonly targets: Record<string, { readonly facts: object; readonly restore: readonly string[] }>;
      };
    };
    expect(manifest.targets['db']?.facts).toEqual({});
    expect(manifest.targets['db']?.restore[0]).toContain('age -d -i identity.txt db.db.zst.age | zstd -dc >');
    await project.bkp(`verify --deep --identity ${mine.file}`);
    await rm(project.path('near'), { recursive: true });
    await project.bkp(
      `restore --repository ${project.path('far')} ${id} --target db --into db.path=new.db --yes --identity ${mine.file}`,
    );
    expect(project.count('events', 'new.db')).toBe(500);
    // What lies encrypted elsewhere can be brought back into a plain repository with the key only.
    await project.bkp('init --repository near');
    expect((await planOf(project)).withheld).toMatchObject([
      { action: 'copy', address: 'shop@near', reason: { code: 'identity-missing' } },
    ]);
    await project.bkp(`apply --yes --identity ${mine.file}`);
    expect((await stored(project, 'near', id, 'db.db.zst')).readUInt32LE()).toBe(0xfd2fb528);
    await project.bkp('restore shop@latest --target db --into db.path=again.db --yes');
    expect(project.count('events', 'again.db')).toBe(500);
  });

  it('a capture is encrypted for each of them in one pass, without any private key', async () => {
    const project = await testProject(policyWith(mine.recipient, theirs.recipient));
    expect((await project.bkp('plan --init-repositories')).stdout).toMatch(/> +copy +shop@far/);
    await project.bkp('apply --yes --init-repositories');
    expect((await project.bkp('plan --detailed-exitcode')).stdout).toContain('No changes.');
    const [id = ''] = await project.ids();
    expect(await project.ids('--repository far')).toEqual([id]);
    const [near, far] = await Promise.all(
      ['near', 'far'].map((repository) => stored(project, repository, id, 'db.db.zst.age')),
    );
    expect(near?.equals(far ?? Buffer.alloc(0))).toBe(false);
    await project.bkp(`verify --repository near --deep --identity ${mine.file}`);
    await project.bkp(`verify --repository far --deep --identity ${theirs.file}`);
    await project.bkp(`verify --repository far --deep --identity ${mine.file}`, 4);
    const { stdout } = await project.bkp(`verify --deep --identity ${mine.file}`, 7);
    expect(stdout).toMatch(/shop@\S+ +near +read whole by its engines/);
    expect(stdout).toMatch(/shop@\S+ +far +every stored byte hashed, not read: no identity that was given opens it/);
    await project.bkp(`restore --repository far ${id} --target db --into path=new.db --yes --identity ${theirs.file}`);
    expect(project.count('events', 'new.db')).toBe(500);
    expect(await readdir(project.path('far', 'snapshots', 'shop', id))).toHaveLength(3);
  });

  it('one of them that breaks during the pass keeps the capture from nothing, and is cleaned', async () => {
    const project = await testProject(policyWith(mine.recipient, theirs.recipient));
    await project.bkp('apply --yes --init-repositories');
    const [first = ''] = await project.ids();
    // While targets are captured, a file is where the folder of their snapshot was.
    const here = project.path('far', 'snapshots', 'shop');
    const away = `mv ${here} ${project.path('kept')} && touch ${here}`;
    const back = `rm ${here} && mv ${project.path('kept')} ${here}`;
    const hooks = `{ before: [{ run: [sh, -c, "${away}"] }], after: [{ run: [sh, -c, "${back}"] }] }`;
    const policy = policyWith(mine.recipient, theirs.recipient);
    await project.policy(policy.replace('verify: { every: 7d }', `hooks: ${hooks}`));
    const said = await project.bkp('backup shop', 7);
    expect(`${said.stdout}${said.stderr}`).toMatch(/copy +shop@far +cannot|copy shop@far: cannot/);
    expect(await project.ids('--repository near')).toHaveLength(2);
    await project.policy(policy);
    expect(await readdir(project.path('far', 'snapshots', 'shop'))).toEqual([first]);
    await project.bkp(`apply --yes --identity ${mine.file}`);
    expect(await project.ids('--repository far')).toHaveLength(2);
  });

  it('one for whom nothing can be encrypted here keeps the capture from nothing', async () => {
    const ssh = await sshKey(await mkdtemp(join(keys, 'ssh-')), 'ed25519');
    const project = await testProject(policyWith(mine.recipient, ssh.recipient));
    await project.bkp('init --repository near');
    await project.bkp('init --repository far');
    const env = { PATH: await pathWith(project.path('.tmp'), ['zstd', 'tar']) };
    const { exitCode, stdout, stderr } = await project.run(['backup', 'shop'], { env });
    expect(exitCode, stderr).toBe(7);
    expect(`${stdout}${stderr}`).toMatch(/shop@far.*SSH keys need the age program/);
    expect(await project.ids('--repository near')).toHaveLength(1);
    expect(await project.ids('--repository far')).toEqual([]);
  });

  it('of a partial snapshot nothing is left beside', async () => {
    const project = await testProject(policyWith(mine.recipient, theirs.recipient));
    await rename(project.path('tree'), project.path('elsewhere'));
    await project.bkp('apply --yes --init-repositories', 7);
    expect(await project.ids('--repository far')).toEqual([]);
    expect(existsSync(project.path('far', 'snapshots', 'shop'))).toBe(false);
    expect((await project.bkp('plan')).stdout).not.toContain('clean');
  });

  it('what must be decrypted for others waits for the private key, and the rest goes on', async () => {
    const project = await testProject(policyWith(mine.recipient, theirs.recipient));
    await project.bkp('init --repository near');
    await project.bkp('backup shop', 6);
    await project.bkp('init --repository far');
    await project.bkp('apply --yes', 6);
    const [id = ''] = await project.ids();
    expect((await planOf(project)).withheld).toMatchObject([
      { action: 'copy', address: 'shop@far', reason: { code: 'identity-missing' } },
    ]);
    expect((await project.bkp('plan --detailed-exitcode')).stdout).toContain('identity-missing');
    // A stranger's key changes nothing.
    await project.bkp(`plan --detailed-exitcode --identity ${theirs.file}`);
    await project.bkp(`apply --yes --identity ${mine.file}`);
    expect((await planOf(project)).withheld).toEqual([]);
    await project.bkp(`verify --repository far --deep --identity ${theirs.file}`);
    await project.bkp(`verify --repository far --deep --identity ${mine.file}`, 4);
    await project.bkp(`restore --repository far ${id} --target db --into path=new.db --yes --identity ${theirs.file}`);
    expect(project.count('events', 'new.db')).toBe(500);
    // Each key finds its own repository.
    for (const { file } of [mine, theirs]) {
      await project.bkp(`restore ${id} --target db --into path=own.db --yes --identity ${file}`);
      await project.bkp(`download ${id} out --target db --native --force --identity ${file}`);
      expect((await project.bkp(`show ${id} --identity ${file}`)).stdout).toMatch(/tables\.events +500/);
      expect(project.count('events', 'own.db')).toBe(500);
      await rm(project.path('own.db'));
    }
    // The bytes of the two differ: what takes the place of damaged ones is encrypted anew, for those who could read them.
    const folder = project.path('far', 'snapshots', 'shop', id);
    const manifest = project.path('far', 'manifests', 'shop', `${id}.json`);
    const written = await readFile(manifest, 'utf8');
    for (const round of [1, 2]) {
      for (const path of (await readdir(folder, { recursive: true })).filter((one) => one.endsWith('db.db.zst.age')))
        await appendFile(join(folder, path), 'x');
      await project.bkp('verify shop@latest', 1);
      expect((await planOf(project)).withheld).toMatchObject([
        { action: 'replace', address: 'shop@far', reason: { code: 'identity-missing' } },
      ]);
      await project.bkp(`apply --yes --only replace --identity ${mine.file}`);
      expect(await readFile(manifest, 'utf8')).toBe(written);
      await project.bkp(`verify --repository far --deep --identity ${theirs.file}`);
      await project.bkp(
        `restore --repository far ${id} --target db --into path=back.db --yes --identity ${theirs.file}`,
      );
      expect(project.count('events', 'back.db'), `round ${round}`).toBe(500);
      await rm(project.path('back.db'));
      const shown = (await project.bkp(`show ${id} --repository far --identity ${theirs.file}`)).stdout;
      expect(shown).toMatch(/copy~\S+\/db\.db\.zst\.age/);
    }
    // A copy takes it from where it is now, and what lets the snapshot go finds all of it.
    await rm(project.path('near'), { recursive: true });
    await project.bkp('init --repository near');
    await project.bkp(`apply --yes --only copy --identity ${theirs.file}`);
    await project.bkp(`verify --repository near --deep --identity ${mine.file}`);
    await project.bkp(`destroy shop@${id} --repository far --yes --force shop@${id}`);
    expect(existsSync(folder)).toBe(false);
  });

  it('a damaged source is never spread, and is found out', async () => {
    const project = await testProject(policyWith(null, mine.recipient));
    await project.bkp('init --repository near');
    await project.bkp('backup shop', 6);
    await project.bkp('init --repository far');
    const [id = ''] = await project.ids();
    await appendFile(project.path('near', 'snapshots', 'shop', id, 'tree.tar.zst'), 'x');
    await project.bkp('apply --yes --only copy', 1);
    expect((await project.bkp('list')).stdout).toMatch(/near +DAMAGED/);
    expect(await project.ids('--repository far')).toEqual([]);
  });
});

describe('a runner without the private key', () => {
  it('checks hashes where the deep check must wait, and says which key it waits for', async () => {
    const project = await makeProject(
      policyWith(mine.recipient, mine.recipient).replace('verify: { every: 7d }', 'verify: { every: 1s, deep: 1s }'),
    );
    await project.bkp('apply --yes --init-repositories');
    // The checks are due again.
    await setTimeout(1_100);
    const made = await planOf(project);
    expect(made.withheld).toMatchObject([
      { action: 'verify', address: 'shop@near', reason: { code: 'identity-missing' } },
      { action: 'verify', address: 'shop@far', reason: { code: 'identity-missing' } },
    ]);
    expect(made.steps.map(({ action }) => action)).toEqual(['verify', 'verify']);
    await project.bkp('apply --yes', 6);
    expect((await planOf(project, ` --identity ${mine.file}`)).withheld).toEqual([]);
    await project.bkp(`apply --yes --identity ${mine.file}`);
    await project.remove();
  });

  it('does not begin a restore of the policy', async () => {
    const project = await testProject(policyWith(mine.recipient, mine.recipient));
    await project.bkp('apply --yes --init-repositories');
    const [id = ''] = await project.ids();
    await appendFile(
      project.path('bkp.yaml'),
      `\nrestores:\n  look: { from: shop@${id}, targets: { db: { into: { path: look.db } } } }\n`,
    );
    expect((await planOf(project)).withheld).toMatchObject([
      { action: 'restore', reason: { code: 'identity-missing' } },
    ]);
    await project.bkp('apply --yes', 6);
    await project.bkp(`apply --yes --identity ${mine.file}`);
    expect(project.count('events', 'look.db')).toBe(500);
  });

  it('is told of snapshots whose recipient left the policy', async () => {
    const project = await testProject(policyWith(mine.recipient, mine.recipient));
    await project.bkp('apply --yes --init-repositories');
    expect((await planOf(project)).warnings.filter(({ code }) => code === 'recipient-left')).toEqual([]);
    await project.policy(policyWith(theirs.recipient, theirs.recipient));
    const { warnings } = await planOf(project);
    expect(warnings.map(({ message }) => message)).toContain(
      `a snapshot of shop@near can be read with the private key of ${mine.recipient} only, which the policy names no more`,
    );
    // New ones are for the new reader, and the warning stays as long as the old ones do.
    await project.bkp('backup shop');
    const made = await planOf(project);
    expect(made.warnings.filter(({ code }) => code === 'recipient-left')).toHaveLength(2);
    await project.bkp(`verify shop@latest --deep --identity ${theirs.file}`);
  });

  it('is told of snapshots that nobody encrypted', async () => {
    const project = await testProject(policyWith(null, null));
    await project.bkp('apply --yes --init-repositories');
    await project.policy(policyWith(null, mine.recipient));
    const { warnings, steps } = await planOf(project);
    expect(steps).toEqual([]);
    expect(warnings.map(({ message }) => message)).toContain(
      'a snapshot of shop@far can be read by everybody: stored before the policy asked for encryption',
    );
  });
});

describe('the manifest of an encrypted snapshot', () => {
  it('hides what tells of the content, unless it shall be open', async () => {
    const project = await testProject(
      policyWith(mine.recipient, mine.recipient).replace(
        'verify: { every: 7d }',
        'checks: { db: [{ facts: tables.events, expect: ">= previous" }] }',
      ),
    );
    await project.bkp('apply --yes --init-repositories');
    const [first = ''] = await project.ids();
    const manifest = await readFile(project.path('near', 'manifests', 'shop', `${first}.json`), 'utf8');
    expect(JSON.parse(manifest)).toMatchObject({
      encryption: { method: 'age', recipients: [mine.recipient], manifest: 'sealed' },
      targets: { db: { facts: {}, warnings: [], checks: [{ value: 500, ok: true }] }, tree: { facts: {} } },
    });
    expect(manifest).not.toContain('"users"');
    const hidden = (await project.bkp('show shop@latest')).stdout;
    expect(hidden).toContain(`encrypted to  ${mine.recipient}`);
    expect(hidden).not.toMatch(/tables\.events +500/);
    expect((await project.bkp(`show shop@latest --identity ${mine.file}`)).stdout).toMatch(/tables\.events +500/);
    // `previous` needs no private key, nor does a plan.
    await project.bkp('backup shop');
    const [second = ''] = await project.ids();
    const without = await project.bkp(`diff ${first} ${second}`);
    expect(without.stderr).toContain('facts are encrypted');
    project.sql('DELETE FROM events WHERE id > 400');
    expect((await project.bkp('backup shop', 7)).stderr).toContain('expected >= previous');
    const open = (await readFile(project.path('bkp.yaml'), 'utf8')).replaceAll(
      'encryption: {',
      'encryption: { manifest: open,',
    );
    await writeFile(project.path('bkp.yaml'), open.replace('>= previous', '> 0'));
    await project.bkp('backup shop');
    expect((await project.bkp('show shop@latest')).stdout).toMatch(/tables\.events +400/);
    const compared = await project.bkp(`diff ${second} shop@latest --identity ${mine.file}`);
    expect(compared.stdout).toMatch(/tables.events +500 +400 +-100/);
    await project.bkp('verify shop@latest --deep', 4);
    await project.bkp(`verify shop@latest --deep --identity ${mine.file}`);
  });
});
