import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { TargetOf } from '../../../src/engines/engine.ts';
import { files } from '../../../src/engines/files/files.ts';
import { testContext } from '../../test-context.ts';
import { makeOddTree } from './odd-tree.ts';
import { restore, SNAPSHOT, takeSnapshot } from './snapshots.ts';
import { captureToFile } from './run-restore.ts';
import { listTree } from './tree-listing.ts';

const target = (...paths: string[]): TargetOf<'files'> => ({ type: 'files', paths });

describe('a probe', () => {
  test('tells the tool and the size of the archive', async () => {
    const { context, folder } = await testContext();
    const tree = join(folder, 'tree');
    await makeOddTree(tree);
    const probe = await files.probe(target(tree), context);
    expect(probe).toMatchObject({
      problems: [],
      versions: { server: null, tool: expect.stringMatching(/^(?:GNU tar|bsdtar) \d/) },
    });
    const archive = join(folder, 'archive.tar');
    await captureToFile(context, [tree], archive);
    const size = Number(execFileSync('wc', ['-c', archive], { encoding: 'utf8' }).split(' ')[0]);
    expect(Math.abs((probe.estimatedBytes ?? 0) - size) / size).toBeLessThan(0.2);
    expect(listTree(tree)).toHaveLength(29);
  });

  test('names what is missing or out of reach', async () => {
    const { context, folder } = await testContext();
    expect((await files.probe(target(join(folder, 'gone')), context)).problems).toEqual([
      {
        message: `cannot capture "${join(folder, 'gone')}": it does not exist`,
        hint: expect.stringContaining('mounted'),
      },
    ]);
    mkdirSync(join(folder, 'tree'));
    expect(
      (await files.probe({ ...target(join(folder, 'tree')), exclude: ['[z-a]'] }, context)).problems[0]?.message,
    ).toContain('cannot use glob');
    writeFileSync(join(folder, 'tree/closed'), 'x');
    chmodSync(join(folder, 'tree/closed'), 0);
    const somebody = { ...context, host: { ...context.host, uid: 1234 } };
    const { problems } = await files.probe(target(join(folder, 'tree')), somebody);
    const isReadable = process.getuid?.() === 0;
    expect(problems.map(({ message }) => message)).toEqual(isReadable ? [] : [expect.stringContaining('cannot read')]);
  });
});

describe('a destination', () => {
  test('is absent, empty or occupied', async () => {
    const { context, folder } = await testContext();
    const [a, b] = [join(folder, 'x/a'), join(folder, 'x/b')];
    const look = (): ReturnType<typeof files.inspectDestination> => files.inspectDestination(target(a, b), context);
    expect(await look()).toEqual({ state: 'absent', description: 'nothing there', problems: [] });
    mkdirSync(a, { recursive: true });
    expect(await look()).toEqual({ state: 'empty', description: 'empty folder', problems: [] });
    writeFileSync(b, 'x');
    expect(await look()).toEqual({ state: 'occupied', description: '2 of 2 paths, 2 entries', problems: [] });
    expect(await files.inspectDestination(target(b), context)).toMatchObject({ description: 'a file' });
    for (let index = 0; index < 1100; index++) writeFileSync(join(a, String(index)), '');
    expect(await files.inspectDestination(target(a), context)).toMatchObject({
      description: 'folder with 1,101 entries',
    });
    expect(await files.inspectDestination({ ...target(a), root: join(folder, 'root') }, context)).toMatchObject({
      state: 'absent',
    });
    expect(existsSync(join(folder, 'root'))).toBe(false);
  });

  test('behind a symlink below another root is unsuitable', async () => {
    const { context, folder } = await testContext();
    mkdirSync(join(folder, 'root'));
    symlinkSync('/tmp', join(folder, 'root/srv'));
    const state = await files.inspectDestination({ ...target('/srv/app'), root: join(folder, 'root') }, context);
    expect(state).toMatchObject({
      state: 'unsuitable',
      problems: [{ message: expect.stringContaining('is not a folder there') }],
    });
  });

  test('that cannot be written is a problem', async () => {
    const { context, folder } = await testContext();
    const place = join(folder, 'place');
    mkdirSync(place, { mode: 0o555 });
    const cannotWrite = tryMount(place, '-o', 'ro') || process.getuid?.() !== 0;
    const state = await files.inspectDestination(target(join(place, 'app')), context);
    expect(state.state).toBe('absent');
    const problem = { message: expect.stringContaining('cannot write to'), hint: expect.any(String) };
    expect(state.problems).toEqual(cannotWrite ? [problem] : []);
  });
});

describe('what was set aside', () => {
  test('is removed only where a restore made it', async () => {
    const { context, folder } = await testContext();
    const own = join(folder, `.app.bkp-old-${SNAPSHOT}`);
    mkdirSync(join(own, 'sub'), { recursive: true });
    writeFileSync(join(folder, 'app'), 'x');
    for (const reference of [
      join(folder, 'app'),
      folder,
      '/',
      '',
      `.app.bkp-old-${SNAPSHOT}`,
      `${own}/../app`,
      `${own}/sub`,
      `${folder}/./.app.bkp-old-${SNAPSHOT}`,
    ]) {
      await expect(files.removeSetAside({ type: 'files', reference }, context), reference).rejects.toMatchObject({
        code: 'target',
      });
      await expect(
        async () => files.setAsideExists({ type: 'files', reference }, context),
        reference,
      ).rejects.toMatchObject({ code: 'target' });
    }
    await expect(files.removeSetAside({ type: 'sqlite', reference: own }, context)).rejects.toMatchObject({
      code: 'target',
    });
    expect(readdirSync(folder)).toContain(`.app.bkp-old-${SNAPSHOT}`);
    expect(await files.setAsideExists({ type: 'files', reference: own }, context)).toBe(true);
    await files.removeSetAside({ type: 'files', reference: own }, context);
    expect(await files.setAsideExists({ type: 'files', reference: own }, context)).toBe(false);
    await files.removeSetAside({ type: 'files', reference: own }, context);
  });

  test('a symlink with such a name goes, not what it points to', async () => {
    const { context, folder } = await testContext();
    mkdirSync(join(folder, 'precious'));
    const own = join(folder, `.app.bkp-old-${SNAPSHOT}`);
    symlinkSync('precious', own);
    await files.removeSetAside({ type: 'files', reference: own }, context);
    expect(readdirSync(folder)).toContain('precious');
    expect(readdirSync(folder)).not.toContain(`.app.bkp-old-${SNAPSHOT}`);
  });

  test('is refused while something is mounted in it', async () => {
    const { context, folder } = await testContext();
    const old = { type: 'files', reference: join(folder, `.app.bkp-old-${SNAPSHOT}`) };
    const mounted = join(old.reference, 'mounted');
    mkdirSync(mounted, { recursive: true });
    const isMounted = tryMount(mounted);
    writeFileSync(join(mounted, 'live'), 'live');
    const removing = files.removeSetAside(old, context);
    if (isMounted) {
      await expect(removing).rejects.toThrow('mounted in it');
      expect(readdirSync(mounted)).toEqual(['live']);
    } else {
      await removing;
      expect(existsSync(old.reference)).toBe(false);
    }
  });
});

/** Only root may mount, and not everywhere. */
function tryMount(path: string, ...options: readonly string[]): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', ...options, 'bkp-test', path], { stdio: 'ignore' });
  } catch {
    return false;
  }
  onTestFinished(() => void execFileSync('umount', [path]));
  return true;
}

test('the native command restores everything', async () => {
  const { context, folder } = await testContext();
  const tree = join(folder, 'tree');
  await makeOddTree(tree);
  const before = listTree(tree);
  const archive = join(folder, "it's an archive.tar");
  await captureToFile(context, [tree], archive);
  const root = join(folder, "a root's root");
  mkdirSync(root);
  const decode = `cat "${archive}"`;
  const command = files.nativeRestore(
    { ...target(tree), root },
    { name: '', format: 'tar-pax', decode, file: archive },
  );
  execFileSync('sh', ['-c', command], { stdio: ['ignore', 'ignore', 'inherit'] });
  expect(listTree(join(root, tree))).toEqual(before);
  expect(
    files.nativeRestore(target(tree), { name: '', format: 'tar-pax', decode: 'zstd -dc a.tar.zst', file: 'a.tar.zst' }),
  ).toBe("zstd -dc a.tar.zst | tar -x -p --numeric-owner --same-owner --xattrs --xattrs-include='*' --acls -C / -f -");
});

test('journals and staging folders that others could have made are not touched', async () => {
  const { context, folder } = await testContext();
  const home = join(folder, 'home');
  mkdirSync(join(home, 'tree'), { recursive: true });
  const snapshot = await takeSnapshot({ paths: [join(home, 'tree')] }, context, join(folder, 'repository'));
  const secret = join(folder, 'secret');
  writeFileSync(secret, 'secret');
  const journal = join(home, `.tree.bkp-swap-${SNAPSHOT}`);
  const moves = [{ staged: secret, place: join(home, 'stolen'), aside: null }];
  writeFileSync(
    journal,
    JSON.stringify({
      formatVersion: 1,
      snapshot: SNAPSHOT,
      moves,
      asideFolders: [],
      folders: [],
      stagings: [],
      kept: [],
    }),
    { mode: 0o644 },
  );
  await takeSnapshot({ paths: [join(home, 'tree')] }, context, join(folder, 'repository'));
  expect(existsSync(secret)).toBe(true);
  expect(existsSync(join(home, 'stolen'))).toBe(false);

  rmSync(journal);
  const staging = join(home, `.tree.bkp-new-${SNAPSHOT}`);
  mkdirSync(staging, { mode: 0o755 });
  writeFileSync(join(staging, 'of-others'), 'x');
  const request = {
    mode: 'replace' as const,
    artifact: snapshot.artifact,
    destination: { paths: [join(home, 'tree')] },
  };
  await expect(restore(request, context)).rejects.toThrow('not a folder of this user alone');
  expect(readdirSync(staging)).toEqual(['of-others']);
});

test('what a living restore is building is left alone, what a dead one left is removed', async () => {
  const { context, folder } = await testContext();
  const home = join(folder, 'home');
  mkdirSync(join(home, 'tree'), { recursive: true });
  const target = { paths: [join(home, 'tree')] };
  const snapshot = await takeSnapshot(target, context, join(folder, 'repository'));
  const staging = join(home, `.tree.bkp-new-${SNAPSHOT}`);
  const { name, bootId, pid } = context.host;
  const sign = (owner: object): void => {
    mkdirSync(staging, { mode: 0o700, recursive: true });
    writeFileSync(join(staging, 'owner.json'), JSON.stringify({ host: name, bootId, pid, workDir: folder, ...owner }));
  };
  const request = { mode: 'replace' as const, artifact: snapshot.artifact, destination: target };
  sign({});
  expect((await takeSnapshot(target, context, join(folder, 'repository'))).facts).toEqual(snapshot.facts);
  await expect(restore(request, context)).rejects.toMatchObject({
    code: 'target',
    hint: `wait for process ${pid}, or stop it`,
  });
  expect(readdirSync(staging)).toEqual(['owner.json']);
  for (const dead of [{ workDir: join(folder, 'gone') }, { bootId: 'another' }, { pid: 2 ** 22 + 1 }]) {
    sign(dead);
    const { warnings } = await restore(request, context);
    expect(warnings).toEqual([expect.stringContaining(`removed "${staging}"`)]);
    expect(existsSync(staging)).toBe(false);
  }
});
