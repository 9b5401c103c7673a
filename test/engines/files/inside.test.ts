import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Context } from '../../../src/context.ts';
import { files } from '../../../src/engines/files/files.ts';
import { testContext } from '../../test-context.ts';
import { unlockAtEnd } from './odd-tree.ts';
import { captureToFile, type RestoreOrder, runRestore } from './run-restore.ts';
import { artifactOf, restore, SNAPSHOT } from './snapshots.ts';
import { listTree } from './tree-listing.ts';

const isRoot = process.getuid?.() === 0;
const SOMEBODY = 65_534;
const OLD = `.tree.bkp-old-${SNAPSHOT}`;

function mount(path: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m,mode=755', 'bkp-test', path], { stdio: 'ignore' });
  } catch {
    return false;
  }
  onTestFinished(() => {
    execFileSync('umount', [path]);
  });
  return true;
}

interface Bench {
  readonly context: Context;
  readonly folder: string;
  readonly tree: string;
  readonly archive: string;
}

/** A captured tree, in a home that belongs to somebody else where this process may give it away. */
async function bench(): Promise<Bench> {
  const { context, folder } = await testContext();
  unlockAtEnd(folder);
  const tree = join(folder, 'home/tree');
  mkdirSync(join(tree, 'sub/deep'), { recursive: true });
  writeFileSync(join(tree, 'one'), 'one');
  writeFileSync(join(tree, 'sub/deep/two'), 'two');
  chmodSync(tree, 0o751);
  const archive = join(folder, 'archive.tar');
  if (isRoot) execFileSync('chown', ['-R', `${SOMEBODY}:${SOMEBODY}`, tree]);
  execFileSync('touch', ['-d', '2020-02-02T02:02:02.123456789Z', join(tree, 'sub'), tree]);
  await captureToFile(context, [tree], archive);
  return { context, folder, tree, archive };
}

const withoutOld = (tree: string): unknown => listTree(tree).filter(({ name }) => !name.includes('.bkp-old-'));

describe('a folder that cannot be renamed is filled from the inside', () => {
  test('where somebody may write in it, not beside it', async () => {
    const { folder, tree, archive } = await bench();
    const before = listTree(tree);
    chmodSync(folder, 0o755);
    chmodSync(archive, 0o644);
    const workDirParent = join(folder, 'work');
    mkdirSync(workDirParent);
    chmodSync(workDirParent, 0o777);
    chmodSync(join(folder, 'home'), 0o555);
    onTestFinished(() => chmodSync(join(folder, 'home'), 0o755));
    const inode = statSync(tree).ino;
    const order: RestoreOrder = { archive, paths: [tree], mode: 'replace', workDirParent };
    const run = (): ReturnType<typeof runRestore> => runRestore(order, isRoot ? SOMEBODY : undefined);

    writeFileSync(join(tree, 'one'), 'changed');
    rmSync(join(tree, 'sub'), { recursive: true });
    mkdirSync(join(tree, 'added'));
    if (isRoot) chownSync(join(tree, 'added'), SOMEBODY, SOMEBODY);
    chmodSync(tree, 0o700);
    const report = await run();
    expect(report?.error).toBeNull();
    expect(report?.outcome).toMatchObject({ keptOld: [{ type: 'files', reference: join(tree, OLD) }], warnings: [] });
    expect(withoutOld(tree)).toEqual(before);
    expect(statSync(tree).ino).toBe(inode);
    expect(readdirSync(join(tree, OLD)).toSorted()).toEqual(['added', 'one']);
    expect(readFileSync(join(tree, OLD, 'one'), 'utf8')).toBe('changed');

    rmSync(join(tree, OLD), { recursive: true });
    for (const name of readdirSync(tree)) rmSync(join(tree, name), { recursive: true });
    expect((await runRestore({ ...order, mode: 'new' }, isRoot ? SOMEBODY : undefined))?.error).toBeNull();
    expect(listTree(tree)).toEqual(before);
    expect(statSync(tree).ino).toBe(inode);
  });

  test('where something is mounted, and what is mounted below stays mounted', async () => {
    const { context, folder, tree, archive } = await bench();
    const before = listTree(tree);
    for (const name of readdirSync(tree)) rmSync(join(tree, name), { recursive: true });
    const isMounted = isRoot && mount(tree);
    if (!isMounted) {
      // Without the right to mount: the same tree is replaced as a whole.
      await restore(
        { mode: 'replace', artifact: artifactOf(archive, context), destination: { paths: [tree] } },
        context,
      );
      expect(listTree(tree)).toEqual(before);
      return;
    }
    mkdirSync(join(tree, 'lost+found'));
    const request = { artifact: artifactOf(archive, context), destination: { paths: [tree] } };
    expect(await files.inspectDestination({ type: 'files', paths: [tree] }, context)).toMatchObject({
      state: 'empty',
      problems: [],
    });
    await restore({ ...request, mode: 'new' }, context);
    expect(listTree(tree).filter(({ name }) => name !== 'lost+found')).toEqual(before);
    rmSync(join(tree, 'lost+found'), { recursive: true });

    writeFileSync(join(tree, 'added'), 'added');
    mkdirSync(join(tree, 'sub/mounted'));
    expect(mount(join(tree, 'sub/mounted'))).toBe(true);
    writeFileSync(join(tree, 'sub/mounted/other'), 'other');
    const outcome = await restore({ ...request, mode: 'replace' }, context);
    expect(outcome.warnings).toEqual([
      `"${join(tree, 'sub/mounted')}" is on another file system and was left as it is`,
    ]);
    expect(readFileSync(join(tree, 'sub/mounted/other'), 'utf8')).toBe('other');
    expect(readFileSync(join(tree, 'sub/deep/two'), 'utf8')).toBe('two');
    expect(outcome.keptOld.map(({ reference }) => reference)).toEqual([
      join(tree, OLD),
      join(tree, `sub/.sub.bkp-old-${SNAPSHOT}`),
    ]);
    expect(readdirSync(join(tree, OLD)).toSorted()).toEqual(['added', 'one']);
    for (const old of outcome.keptOld) await files.removeSetAside(old, context);
    expect(readdirSync(tree).toSorted()).toEqual(['one', 'sub']);
    expect(lstatSync(tree).mtimeMs).toBeGreaterThan(0);
    expect(existsSync(join(folder, 'home', OLD))).toBe(false);
  });

  test('a file system below that was left out of the capture is left alone', async () => {
    const { context, tree, folder } = await bench();
    mkdirSync(join(tree, 'data'));
    writeFileSync(join(tree, 'data/hidden'), 'hidden');
    const isMounted = isRoot && mount(join(tree, 'data'));
    writeFileSync(join(tree, 'data/live'), 'live');
    const target = { type: 'files' as const, paths: [tree], oneFileSystem: true };
    const captured = await files.capture(target, context);
    const source = captured.artifacts[0]?.source;
    if (source?.kind !== 'process') throw new Error('not a process');
    const archive = join(folder, 'one.tar');
    execFileSync(
      'tar',
      source.process.argv.slice(1).map((word) => (word === '--file=-' ? `--file=${archive}` : word)),
    );
    await captured.close();
    writeFileSync(join(tree, 'one'), 'changed');
    await restore({ mode: 'replace', artifact: artifactOf(archive, context), destination: target }, context);
    expect(readFileSync(join(tree, 'one'), 'utf8')).toBe('one');
    expect(readdirSync(join(tree, 'data'))).toEqual(isMounted ? ['live'] : ['hidden', 'live']);
  });
});

describe('somebody who is not root', () => {
  test('gets everything but the owners, and is told', async () => {
    const { folder, tree, archive, context } = await bench();
    const isForeign = isRoot;
    if (isForeign) {
      execFileSync('chown', ['-R', '12345:12345', tree]);
      chmodSync(join(tree, 'one'), 0o4755);
      await captureToFile(context, [tree], archive);
    }
    const place = join(folder, 'elsewhere');
    mkdirSync(place);
    for (const path of [folder, place]) chmodSync(path, 0o777);
    chmodSync(archive, 0o644);
    const order: RestoreOrder = {
      archive,
      paths: [tree],
      root: join(place, 'root'),
      mode: 'new',
      workDirParent: place,
    };
    const report = await runRestore(order, isRoot ? SOMEBODY : undefined);
    expect(report?.error).toBeNull();
    const warnings = ['owners could not be kept: only root can give files away; they belong to this user now'];
    expect(report?.outcome?.warnings).toEqual(isForeign ? warnings : []);
    expect(report?.outcome?.facts === null).toBe(isForeign);
    const strip = (list: ReturnType<typeof listTree>): unknown =>
      list.map((entry) => ({ ...entry, owner: '', mode: '' }));
    expect(strip(listTree(join(place, 'root', tree)))).toEqual(strip(listTree(tree)));
  });

  test('can bring back, replace and remove what its owner may not write', async () => {
    const { folder, tree, archive, context } = await bench();
    for (const name of ['sub/deep', 'sub', '.']) chmodSync(join(tree, name), 0o555);
    await captureToFile(context, [tree], archive);
    const before = listTree(tree);
    const place = join(folder, 'elsewhere');
    mkdirSync(place);
    for (const path of [folder, place]) chmodSync(path, 0o777);
    chmodSync(archive, 0o644);
    const order: RestoreOrder = {
      archive,
      paths: [tree],
      root: join(place, 'root'),
      mode: 'new',
      workDirParent: place,
    };
    const user = isRoot ? SOMEBODY : undefined;
    expect((await runRestore(order, user))?.error).toBeNull();
    const replaced = await runRestore({ ...order, mode: 'replace' }, user);
    expect(replaced?.error).toBeNull();
    const there = join(place, 'root', tree);
    expect(listTree(there)).toEqual(before);
    expect(listTree(replaced?.outcome?.keptOld[0]?.reference ?? '')).toEqual(before);
  });
});
