import { execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, it } from 'vitest';
import { ageKey } from '../streams/age-keys.ts';
import { pathWith } from '../streams/tools.ts';
import { appliedProject, damage, makeProject, POLICY, renewed } from './project.ts';
import { jsonOf, PROGRAM } from './run-bkp.ts';

const keys = await mkdtemp(join(tmpdir(), 'bkp-keys-'));
afterAll(() => rm(keys, { recursive: true, force: true }));
const [mine, other] = [await ageKey(keys, 'mine'), await ageKey(keys, 'other')];

/** Everything encrypted, in both repositories. */
const ENCRYPTED = POLICY.replaceAll(
  /path: (near|far) }/g,
  `path: $1, encryption: { recipients: [${mine.recipient}] } }`,
);
const base = await appliedProject(ENCRYPTED);
const [id = ''] = await base.ids();
const fresh = await renewed(base);

describe('an encrypted backup', () => {
  it('is encrypted wherever it lies, and its copies are the same bytes', async () => {
    const project = await fresh();
    for (const key of ['db.db.zst.age', 'tree.tar.zst.age']) {
      const [near, far] = await Promise.all(
        ['near', 'far'].map((repository) => readFile(project.path(repository, 'snapshots', 'shop', id, key))),
      );
      expect(near?.toString('latin1', 0, 21)).toBe('age-encryption.org/v1');
      expect(near?.equals(far ?? Buffer.alloc(0))).toBe(true);
    }
    const { stdout } = await project.bkp(`show ${id}`);
    expect(stdout).toContain('age -d -i identity.txt db.db.zst.age | zstd -dc');
    expect((await project.bkp('plan --detailed-exitcode')).stdout).toContain('No changes.');
  });

  it('restores with its identity', async () => {
    const project = await fresh();
    await project.bkp(`restore shop@latest --into db.path=new.db --target db --yes --identity ${mine.file}`);
    expect(project.count('events', 'new.db')).toBe(500);
    const named = { BKP_AGE_IDENTITY_FILE: mine.file };
    const args = ['restore', 'shop@latest', '--into', 'tree.root=new', '--target', 'tree', '--yes'];
    expect(await project.run(args, { env: named })).toMatchObject({ exitCode: 0 });
    expect(await readFile(project.path('new', project.path('tree', 'a.txt')), 'utf8')).toBe('first\n');
  });

  it('is restored by hand as its manifest says', async () => {
    const project = await fresh();
    await writeFile(project.path('near', 'snapshots', 'shop', id, 'identity.txt'), await readFile(mine.file));
    const shown = jsonOf(await project.bkp(`show ${id} --format json`));
    const { targets } = shown['manifest'] as { readonly targets: Record<string, { readonly restore: string[] }> };
    const command = targets['db']?.restore[0]?.replace(/> .*$/, '> back.db') ?? '';
    execFileSync('sh', ['-c', command], { cwd: project.path('near', 'snapshots', 'shop', id) });
    const database = new DatabaseSync(project.path('near', 'snapshots', 'shop', id, 'back.db'));
    expect(database.prepare('SELECT count(*) AS n FROM events').get()).toEqual({ n: 500 });
    database.close();
  });

  it('refuses a missing, wrong or unusable identity before anything is touched', async () => {
    const project = await fresh();
    const restore = 'restore shop@latest --mode replace --target db --yes';
    const before = await readFile(project.path('app.db'));
    const none = await project.bkp(restore, 4);
    expect(none.stderr).toContain(`error: cannot decrypt shop@${id}: no identity was given`);
    expect(none.stderr).toContain(`hint: give the private key of ${mine.recipient} by --identity FILE`);
    const wrong = await project.bkp(`${restore} --identity ${other.file}`, 4);
    expect(wrong.stderr).toContain(`error: cannot decrypt shop@${id}: no identity that was given opens it`);
    expect(wrong.stderr).toContain(`hint: it is encrypted to ${mine.recipient}`);
    expect((await project.bkp(`${restore} --identity nowhere.txt`, 4)).stderr).toContain('cannot read identity');
    // A capture needs none: one that the environment names in vain is told, and it goes on.
    const vain = { env: { BKP_AGE_IDENTITY_FILE: 'nowhere.txt' } };
    const captured = await project.run(['backup', 'shop'], vain);
    expect(captured).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('cannot read identity') as unknown });
    await writeFile(project.path('public.txt'), mine.recipient);
    expect((await project.bkp(`${restore} --identity public.txt`, 4)).stderr).toContain('it holds no private key');
    expect((await readFile(project.path('app.db'))).equals(before)).toBe(true);
    await project.bkp(`${restore} --identity ${mine.file}`);
  });

  it('verifies bytes without an identity, contents with one', async () => {
    const project = await fresh();
    await project.bkp('verify shop@latest');
    expect((await project.bkp('verify shop@latest --deep', 4)).stderr).toContain('no identity was given');
    await project.bkp(`verify shop@latest --deep --identity ${mine.file}`);
    await damage(project, 'near', id, 'db.db.zst.age');
    expect((await project.bkp('verify shop@latest', 1)).stdout).toContain('DAMAGED');
    const plan = await project.bkp('plan --detailed-exitcode', 2);
    expect(plan.stdout).toContain('replica-corrupt');
    await project.bkp('apply --yes');
    await project.bkp(`verify shop@latest --deep --identity ${mine.file}`);
  });

  it('downloads as it is stored, or decrypted with an identity', async () => {
    const project = await fresh();
    await project.bkp('download shop@latest out --target db');
    expect((await stat(project.path('out', 'db.db.zst.age'))).size).toBeGreaterThan(100);
    expect((await project.bkp('download shop@latest out --target db --native', 4)).stderr).toContain('--identity');
    await project.bkp(`download shop@latest out --target db --native --identity ${mine.file}`);
    expect((await readFile(project.path('out', 'db.db'))).toString('latin1', 0, 15)).toBe('SQLite format 3');
  });

  it('adopts a dump, which is encrypted too', async () => {
    const project = await fresh();
    await project.bkp('upload app.db --backup shop --target db');
    const { snapshots } = jsonOf(await project.bkp('list --format json')) as {
      readonly snapshots: readonly { readonly id: string; readonly kind: string }[];
    };
    const adopted = snapshots.find(({ kind }) => kind === 'adopted')?.id ?? '';
    await project.bkp(`verify shop@${adopted} --deep`, 4);
    await project.bkp(`verify shop@${adopted} --deep --identity ${mine.file}`);
    await writeFile(project.path('bad.db'), 'SQLite format 3\0, or so it says');
    expect((await project.bkp('upload bad.db --backup shop --target db', 1)).stderr).toContain(
      'nothing of it was kept',
    );
  });

  it('works without the age program, and says so', async () => {
    const project = await fresh();
    const env = { PATH: await pathWith(project.path('.tmp'), ['zstd', 'tar']) };
    const run = async (args: string): Promise<string> => {
      const result = await project.run(args.split(' '), { env });
      expect(result.exitCode, result.stderr).toBe(0);
      return result.stdout;
    };
    project.sql("INSERT INTO users (name) VALUES ('another')");
    await run('backup shop');
    await run(`restore shop@latest --into db.path=new.db --target db --yes --identity ${mine.file}`);
    expect(project.count('users', 'new.db')).toBe(3);
    // What one way wrote, the other reads.
    await project.bkp(`verify --deep --identity ${mine.file}`);
    expect(await run('doctor')).toContain('age makes fast encryption possible; without it Node.js does it');
  });
});

it.runIf(process.platform === 'linux')('a full disk leaves nothing behind', async () => {
  const project = await fresh();
  await writeFile(project.path('tree', 'large'), randomBytes(3_000_000));
  await mkdir(project.path('disk'));
  await project.edit('path: near,', 'path: disk/near,');
  // A mount of our own, in a namespace that goes with the process.
  const script = `mount -t tmpfs -o size=1m none disk && mkdir disk/near && "$0" "$1" init --repository near >&2
    "$0" "$1" backup shop >&2; echo $?; find disk/near/manifests disk/near/snapshots -type f`;
  const args = ['--map-root-user', '--mount', 'sh', '-c', script, process.execPath, PROGRAM];
  const { stdout, stderr } = await promisify(execFile)('unshare', args, { cwd: project.folder, env: project.env });
  expect(stderr).toContain('no space left');
  const [exitCode, ...files] = stdout.trimEnd().split('\n');
  expect(exitCode).toBe('7');
  expect(files.filter((file) => /tree/.test(file))).toEqual([`disk/near/snapshots/shop/${id}/tree.tar.zst.age`]);
  // The older one was copied from far. What was captured beside the tree is kept, as a partial snapshot, if it came
  // before the disk was full; and nothing lies there that no manifest tells of.
  const idsIn = (kind: RegExp): readonly string[] => files.flatMap((file) => kind.exec(file)?.[1] ?? []).toSorted();
  const stored = idsIn(/snapshots\/shop\/([^/]+)\/db\.db\.zst\.age$/);
  expect(stored).toContain(id);
  expect(stored).toEqual(idsIn(/manifests\/shop\/([^/]+)\.json$/));
});

describe('keys', () => {
  it('are made for their owner only, never over another one, and work', async () => {
    const project = await makeProject(POLICY);
    const made = await project.bkp('keygen age key.txt');
    expect(made.stdout).toMatch(/^age1[a-z0-9]{58}\n$/);
    expect((await stat(project.path('key.txt'))).mode & 0o777).toBe(0o600);
    const before = await readFile(project.path('key.txt'), 'utf8');
    expect((await project.bkp('keygen age key.txt', 6)).stderr).toContain('a private key is never overwritten');
    expect(await readFile(project.path('key.txt'), 'utf8')).toBe(before);
    await project.bkp('keygen rot13 other.txt', 4);
    const encrypted = `path: near, encryption: { recipients: [${made.stdout.trim()}] } }`;
    await project.policy(POLICY.replace('path: near }', encrypted).replace('[near, far]', '[near]'));
    await project.bkp('init --repository near');
    await project.bkp('backup shop');
    await project.bkp('verify --repository near --deep --identity key.txt');
    await project.remove();
  });

  it('that lie only inside what they open are a warning', async () => {
    const project = await fresh();
    await writeFile(project.path('tree', 'identity.txt'), await readFile(mine.file));
    const inside = project.path('tree', 'identity.txt');
    const told = await project.bkp(`validate --identity ${inside}`);
    expect(told.stderr).toContain('BKP2072');
    expect(told.stderr).toContain('lies in target "tree" and is stored encrypted only');
    await project.bkp(`validate --strict --identity ${inside}`, 4);
    const named = await project.run(['doctor'], { env: { BKP_AGE_IDENTITY_FILE: inside } });
    expect(named.stdout).toContain('lies in target "tree" and is stored encrypted only');
    expect((await project.bkp(`validate --identity ${mine.file}`)).stderr).not.toContain('BKP2072');
    // A copy that is not encrypted can be read after all.
    await project.edit(/far, encryption: [^}]*} }/.exec(ENCRYPTED)?.[0] ?? '', 'far }');
    expect((await project.bkp(`validate --identity ${inside}`)).stderr).not.toContain('BKP2072');
  });
});

describe('recipients', () => {
  it('are checked before anything else, and no private key is shown', async () => {
    const project = await makeProject(POLICY);
    const secret = (await readFile(mine.file, 'utf8')).split('\n')[1] ?? '';
    const cases: readonly (readonly [string, string])[] = [
      [secret, 'it is a private key'],
      [mine.recipient.replace(/.$/, (last) => (last === 'q' ? 'p' : 'q')), 'its check digits are wrong'],
      ['ssh-dss AAAA', 'of SSH keys only ssh-ed25519 and ssh-rsa work'],
    ];
    for (const [recipient, reason] of cases) {
      await project.policy(
        POLICY.replace('path: near }', `path: near, encryption: { recipients: ["${recipient}"] } }`),
      );
      const { stderr } = await project.bkp('validate', 4);
      expect(stderr).toContain('BKP2070');
      expect(stderr).toContain(reason);
      expect(stderr).not.toContain(secret);
    }
    await project.policy(POLICY.replace('path: near }', 'path: near, encryption: { manifest: open } }'));
    expect((await project.bkp('validate', 4)).stderr).toContain('BKP2071');
    await project.remove();
  });

  it('come from a file too, and those of a backup win', async () => {
    const project = await makeProject(
      POLICY.replace('path: near }', 'path: near, encryption: { recipientsFile: keys.txt } }'),
    );
    await project.bkp('init --repository near');
    await project.bkp('init --repository far');
    expect((await project.bkp('backup shop', 1)).stderr).toContain('keys.txt');
    await writeFile(project.path('keys.txt'), `# who restores\n${other.recipient}\n`);
    await project.edit(
      'repositories: [near, far]',
      `repositories: [near]\n    encryption: { recipients: [${mine.recipient}] }`,
    );
    await project.bkp('backup shop');
    await project.bkp(`verify --deep --identity ${mine.file}`);
    await project.edit(`\n    encryption: { recipients: [${mine.recipient}] }`, '');
    await project.bkp('backup shop');
    await project.bkp(`verify shop@latest --deep --identity ${mine.file}`, 4);
    await project.bkp(`verify shop@latest --deep --identity ${other.file}`);
    await project.remove();
  });
});
