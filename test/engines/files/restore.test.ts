import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  linkSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { Context } from '../../../src/context.ts';
import { openDirectoryRepository } from '../../../src/repositories/directory.ts';
import { openArtifact } from '../../../src/streams/open-artifact.ts';
import { storeArtifact } from '../../../src/streams/store-artifact.ts';
import { testContext } from '../../test-context.ts';
import { countArchive, readMembers } from './archives.ts';
import { addAttributes, makeOddTree } from './odd-tree.ts';
import { captureToFile } from './run-restore.ts';
import { artifactOf, leftovers, restore, SNAPSHOT, takeSnapshot, type TakenSnapshot } from './snapshots.ts';
import { listTree } from './tree-listing.ts';

interface Bench {
  readonly context: Context;
  readonly folder: string;
  readonly home: string;
  readonly tree: string;
  readonly repository: string;
}

async function bench(): Promise<Bench> {
  const { context, folder } = await testContext();
  const home = join(folder, 'home');
  mkdirSync(home);
  return { context, folder, home, tree: join(home, 'tree'), repository: join(folder, 'repository') };
}

/** A small tree: two files, a folder, a link between them. */
async function smallBench(): Promise<Bench & { readonly snapshot: TakenSnapshot }> {
  const made = await bench();
  const { tree, context, repository } = made;
  mkdirSync(join(tree, 'sub/deep'), { recursive: true });
  writeFileSync(join(tree, 'one'), 'one');
  writeFileSync(join(tree, 'sub/two'), 'two');
  writeFileSync(join(tree, 'sub/deep/three'), 'three');
  linkSync(join(tree, 'one'), join(tree, 'sub/twin'));
  symlinkSync('one', join(tree, 'to-one'));
  for (const name of ['sub/deep', 'sub', '.']) utimesSync(join(tree, name), 1_600_000_000, 1_600_000_000.5);
  return { ...made, snapshot: await takeSnapshot({ paths: [tree] }, context, repository) };
}

const namesIn = (folder: string): readonly string[] => readdirSync(folder).toSorted();

describe('everything a tree may hold', () => {
  test('comes back below another root, and captures the same there', async () => {
    const { context, folder, tree, repository } = await bench();
    await makeOddTree(tree);
    const before = listTree(tree);
    const snapshot = await takeSnapshot({ paths: [tree] }, context, repository);
    const root = join(folder, 'elsewhere');
    const outcome = await restore(
      { mode: 'new', artifact: snapshot.artifact, destination: { paths: [tree], root }, expectedFacts: snapshot.facts },
      context,
    );
    expect(outcome).toEqual({
      facts: snapshot.facts,
      keptOld: [],
      restored: { entries: 29, files: 15, bytes: snapshot.facts['bytes'] },
      conflicts: [],
      warnings: [],
    });
    expect(listTree(join(root, tree))).toEqual(before);
    expect(listTree(tree)).toEqual(before);
    expect(leftovers(namesIn(join(root, tree, '..')))).toEqual([]);
  });

  test('comes back in its place, with the old state beside it', async () => {
    const { context, home, tree, repository } = await bench();
    await makeOddTree(tree);
    const before = listTree(tree);
    const snapshot = await takeSnapshot({ paths: [tree] }, context, repository);
    chmodSync(join(tree, 'locked'), 0o700);
    for (const name of ['huge', 'folder', 'locked', 'attributes']) rmSync(join(tree, name), { recursive: true });
    writeFileSync(join(tree, 'added'), 'added');
    const damaged = listTree(tree);
    const outcome = await restore(
      { mode: 'replace', artifact: snapshot.artifact, destination: { paths: [tree] } },
      context,
    );
    const old = join(home, `.tree.bkp-old-${SNAPSHOT}`);
    expect(outcome.keptOld).toEqual([{ type: 'files', reference: old }]);
    expect(outcome.facts).toEqual(snapshot.facts);
    expect(listTree(tree)).toEqual(before);
    expect(listTree(old)).toEqual(damaged);
    const again = await takeSnapshot({ paths: [tree] }, context, repository);
    expect(again.facts).toEqual(snapshot.facts);
  });

  test('what is missing comes back, what is there stays', async () => {
    const { context, tree, repository } = await bench();
    await makeOddTree(tree);
    const snapshot = await takeSnapshot({ paths: [tree] }, context, repository);
    const before = new Map(listTree(tree).map((entry) => [entry.name, entry]));
    for (const name of [
      'huge',
      'acl',
      'bad',
      'empty',
      'folder/deep',
      'to-absolute',
      String.raw`back\nslash\101`,
      '*[glob]?',
    ]) {
      const path =
        name === 'bad' ? Buffer.concat([Buffer.from(`${tree}/bad`), Buffer.from([0xff, 0xfe])]) : join(tree, name);
      rmSync(path, { recursive: true });
    }
    writeFileSync(join(tree, 'attributes'), 'changed');
    writeFileSync(join(tree, 'folder/added'), 'added');
    chmodSync(join(tree, 'folder'), 0o711);
    utimesSync(join(tree, 'folder'), 1, 1.25);
    const changed = new Map(listTree(tree).map((entry) => [entry.name, entry]));
    const outcome = await restore(
      { mode: 'merge', artifact: snapshot.artifact, destination: { paths: [tree] } },
      context,
    );
    expect(outcome).toEqual({ facts: null, keptOld: [], restored: { entries: 9 }, conflicts: [], warnings: [] });
    const after = new Map(listTree(tree).map((entry) => [entry.name, entry]));
    for (const [name, entry] of after) expect(entry, name).toEqual(changed.get(name) ?? before.get(name));
    expect([...after.keys()].toSorted()).toEqual([...new Set([...before.keys(), ...changed.keys()])].toSorted());
  });
});

describe('what file systems and users make of it', () => {
  test('devices come back where they can be made', async () => {
    const { context, tree, folder, repository } = await smallBench();
    const made = spawnSync('mknod', [join(tree, 'device'), 'c', '1', '3']).status === 0;
    const snapshot = await takeSnapshot({ paths: [tree] }, context, repository);
    const root = join(folder, 'root');
    const { facts } = await restore(
      { mode: 'new', artifact: snapshot.artifact, destination: { paths: [tree], root } },
      context,
    );
    expect(facts).toEqual(snapshot.facts);
    expect(facts?.['entries']).toBe(made ? 9 : 8);
    expect(existsSync(join(root, tree, 'device')) && statSync(join(root, tree, 'device')).isCharacterDevice()).toBe(
      made,
    );
  });

  test('default ACLs of the folder around it are not inherited', async () => {
    const { context, tree, folder, snapshot } = await smallBench();
    await addAttributes(folder);
    const root = join(folder, 'acl', 'root');
    mkdirSync(root);
    const destination = { paths: [tree], root };
    for (const mode of ['new', 'replace'] as const) {
      expect(await restore({ mode, artifact: snapshot.artifact, destination }, context)).toMatchObject({
        facts: snapshot.facts,
        warnings: [],
      });
    }
    rmSync(join(root, tree, 'sub'), { recursive: true });
    expect((await restore({ mode: 'merge', artifact: snapshot.artifact, destination }, context)).warnings).toEqual([]);
    const archive = join(folder, 'inherited.tar');
    await captureToFile(context, [join(root, tree)], archive);
    expect(readMembers(readFileSync(archive)).flatMap(({ entry }) => entry.attributes)).toEqual([]);
  });

  test('an archive with megabytes of padding is read to its end', async () => {
    const { context, tree, folder, snapshot } = await smallBench();
    const repository = openDirectoryRepository({ path: join(folder, 'repository') }, context);
    const archive = join(folder, 'padded.tar');
    await captureToFile(context, [tree], archive);
    const padded = Buffer.concat([readFileSync(archive), Buffer.alloc(3_000_000 - (3_000_000 % 512))]);
    const artifact = { source: { kind: 'stream' as const, open: () => Readable.from([padded]) } };
    const compression = { method: 'zstd', level: 1 } as const;
    const key = 'snapshots/test/padded.tar.zst';
    const stored = await storeArtifact({ artifact, compression, threads: 1, repository, key }, context);
    const described = { key, name: '', format: 'tar-pax', compression: 'zstd', encryption: null } as const;
    const { rawBytes, storedBytes, storedSha256 } = stored;
    const opened = openArtifact({ ...described, rawBytes, storedBytes, storedSha256 }, { repository, key }, context);
    const destination = { paths: [tree], root: join(folder, 'root') };
    expect((await restore({ mode: 'new', artifact: opened, destination }, context)).facts).toEqual(snapshot.facts);
  });

  test('ACLs mean the same numbers, whatever names stand beside them', async () => {
    const { context, folder, tree, home } = await bench();
    mkdirSync(tree);
    await addAttributes(tree);
    const archive = join(folder, 'archive.tar');
    await captureToFile(context, [tree], archive);
    const bytes = readFileSync(archive);
    const facts = (await countArchive(bytes)).facts;
    for (let at = bytes.indexOf('user:12345:'); at >= 0; at = bytes.indexOf('user:12345:'))
      bytes.write('user:54321:', at);
    writeFileSync(archive, bytes);
    rmSync(home, { recursive: true });
    const outcome = await restore(
      { mode: 'new', artifact: artifactOf(archive, context), destination: { paths: [tree] } },
      context,
    );
    expect(outcome).toMatchObject({ facts, warnings: [] });
    await captureToFile(context, [tree], archive);
    expect(readFileSync(archive).includes('user:12345:')).toBe(true);
  });
});

describe('new', () => {
  test('takes an empty folder, refuses one that is not, and leaves nothing in the way it made', async () => {
    const { context, folder, tree, snapshot } = await smallBench();
    const root = join(folder, 'root');
    mkdirSync(join(root, tree), { recursive: true });
    const request = { mode: 'new' as const, artifact: snapshot.artifact, destination: { paths: [tree], root } };
    await restore(request, context);
    expect(listTree(join(root, tree))).toEqual(listTree(tree));
    const before = listTree(root);
    await expect(restore(request, context)).rejects.toMatchObject({
      code: 'guard',
      hint: expect.stringContaining('--mode replace'),
    });
    expect(listTree(root)).toEqual(before);
    rmSync(join(root, tree), { recursive: true });
    writeFileSync(join(root, tree), 'a file in the way');
    await expect(restore(request, context)).rejects.toMatchObject({ code: 'guard' });

    const fresh = join(folder, 'fresh');
    const wrong = {
      ...request,
      destination: { paths: [tree], root: fresh },
      expectedFacts: { ...snapshot.facts, files: 99 },
    };
    await expect(restore(wrong, context)).rejects.toMatchObject({ code: 'integrity' });
    expect(existsSync(fresh)).toBe(false);
  });

  test('several paths come back side by side', async () => {
    const { context, folder, home, repository } = await bench();
    for (const name of ['a/x', 'b', 'c/d/e']) {
      mkdirSync(join(home, name, '..'), { recursive: true });
      writeFileSync(join(home, name), name);
    }
    const paths = ['a', 'b', 'c/d/e'].map((name) => join(home, name));
    const snapshot = await takeSnapshot({ paths }, context, repository);
    const root = join(folder, 'root');
    const outcome = await restore({ mode: 'new', artifact: snapshot.artifact, destination: { paths, root } }, context);
    expect(outcome.facts).toEqual(snapshot.facts);
    for (const name of ['a/x', 'b', 'c/d/e']) expect(readFileSync(join(root, home, name), 'utf8')).toBe(name);
    rmSync(home, { recursive: true });
    await restore({ mode: 'new', artifact: snapshot.artifact, destination: { paths } }, context);
    for (const name of ['a/x', 'b', 'c/d/e']) expect(readFileSync(join(home, name), 'utf8')).toBe(name);
  });
});

describe('replace', () => {
  test('keeps every old state under a name of its own', async () => {
    const { context, home, tree, snapshot } = await smallBench();
    const request = { mode: 'replace' as const, artifact: snapshot.artifact, destination: { paths: [tree] } };
    await restore(request, context);
    const { keptOld } = await restore(request, context);
    expect(keptOld).toEqual([{ type: 'files', reference: join(home, `.tree.bkp-old-${SNAPSHOT}-2`) }]);
    expect(namesIn(home)).toEqual([`.tree.bkp-old-${SNAPSHOT}`, `.tree.bkp-old-${SNAPSHOT}-2`, 'tree']);
    const gone = join(home, 'gone');
    expect(existsSync(gone)).toBe(false);
  });

  test('a file takes the place of a folder, and a symlink is replaced, not followed', async () => {
    const { context, folder, tree, home, snapshot } = await smallBench();
    mkdirSync(join(folder, 'outside'));
    rmSync(tree, { recursive: true });
    symlinkSync(join(folder, 'outside'), tree);
    const { keptOld } = await restore(
      { mode: 'replace', artifact: snapshot.artifact, destination: { paths: [tree] } },
      context,
    );
    expect(lstatSync(tree).isDirectory()).toBe(true);
    expect(namesIn(join(folder, 'outside'))).toEqual([]);
    expect(lstatSync(keptOld[0]?.reference ?? '').isSymbolicLink()).toBe(true);

    rmSync(join(tree, 'one'));
    mkdirSync(join(tree, 'one/now/a/folder'), { recursive: true });
    await restore(
      { mode: 'replace', artifact: snapshot.artifact, destination: { paths: [tree] }, paths: [join(tree, 'one')] },
      context,
    );
    expect(readFileSync(join(tree, 'one'), 'utf8')).toBe('one');
    expect(namesIn(home)).toHaveLength(2);
  });

  test('names of 255 bytes have room beside them', async () => {
    const { context, home, repository } = await bench();
    const tree = join(home, `${'é'.repeat(127)}x`);
    mkdirSync(tree);
    const snapshot = await takeSnapshot({ paths: [tree] }, context, repository);
    const { keptOld } = await restore(
      { mode: 'replace', artifact: snapshot.artifact, destination: { paths: [tree] } },
      context,
    );
    expect(namesIn(home)).toHaveLength(2);
    expect(existsSync(keptOld[0]?.reference ?? '')).toBe(true);
    expect(await takeSnapshot({ paths: [home] }, context, repository)).toMatchObject({ facts: { entries: 2 } });
  });
});

describe('merge', () => {
  test('many missing files come back without being named one by one', async () => {
    const { context, tree, repository } = await bench();
    mkdirSync(tree);
    for (let index = 0; index < 700; index++) writeFileSync(join(tree, `file-${index}`), String(index));
    const snapshot = await takeSnapshot({ paths: [tree] }, context, repository);
    const before = listTree(tree);
    for (let index = 0; index < 700; index++) if (index % 7 > 0) rmSync(join(tree, `file-${index}`));
    utimesSync(tree, Number(before[0]?.mtimeNs ?? 0n) / 1e9, 1_500_000_000);
    const outcome = await restore(
      { mode: 'merge', artifact: snapshot.artifact, destination: { paths: [tree] } },
      context,
    );
    expect(outcome.restored).toEqual({ entries: 600 });
    expect(listTree(tree).slice(1)).toEqual(before.slice(1));
    expect(statSync(tree).mtimeMs).toBe(1_500_000_000_000);
  });

  test('nothing is written through a symlink; what it hides is a conflict', async () => {
    const { context, folder, tree, snapshot } = await smallBench();
    mkdirSync(join(folder, 'outside'));
    rmSync(join(tree, 'sub'), { recursive: true });
    rmSync(join(tree, 'one'));
    symlinkSync(join(folder, 'outside'), join(tree, 'sub'));
    const request = { mode: 'merge' as const, artifact: snapshot.artifact, destination: { paths: [tree] } };
    const before = listTree(tree);
    const conflict = `"${join(tree, 'sub')}" is not a folder there: 4 entries below it cannot come back`;
    await expect(restore(request, context)).rejects.toMatchObject({
      code: 'target',
      message: `cannot merge: ${conflict}`,
    });
    expect(listTree(tree)).toEqual(before);
    const outcome = await restore({ ...request, skipConflicts: true }, context);
    expect(outcome).toMatchObject({ conflicts: [conflict], restored: { entries: 1 } });
    expect(readFileSync(join(tree, 'one'), 'utf8')).toBe('one');
    expect(namesIn(join(folder, 'outside'))).toEqual([]);
  });

  test('everything is missing, nothing is missing', async () => {
    const { context, tree, home, snapshot } = await smallBench();
    const request = { mode: 'merge' as const, artifact: snapshot.artifact, destination: { paths: [tree] } };
    const before = listTree(tree);
    expect((await restore(request, context)).restored).toEqual({ entries: 0 });
    rmSync(tree, { recursive: true });
    expect((await restore(request, context)).restored).toEqual({ entries: 8 });
    expect(listTree(tree)).toEqual(before);
    expect(namesIn(home)).toEqual(['tree']);
  });
});

describe('chosen paths', () => {
  test('come back alone, named as captured or relative to /', async () => {
    const { context, folder, tree, snapshot } = await smallBench();
    const root = join(folder, 'root');
    const destination = { paths: [tree], root };
    const outcome = await restore(
      {
        mode: 'new',
        artifact: snapshot.artifact,
        destination,
        paths: [join(tree, 'sub/two'), join(tree, 'to-one').slice(1)],
      },
      context,
    );
    expect(outcome).toMatchObject({ facts: null, restored: { entries: 2 }, warnings: [] });
    expect(listTree(join(root, tree)).map(({ name }) => name)).toEqual(['', 'sub', 'sub/two', 'to-one']);
  });

  test('a hard link comes back with its bytes although the file that holds them was not chosen', async () => {
    const { context, folder, tree, snapshot } = await smallBench();
    const root = join(folder, 'root');
    await restore(
      { mode: 'new', artifact: snapshot.artifact, destination: { paths: [tree], root }, paths: [join(tree, 'sub')] },
      context,
    );
    expect(readFileSync(join(root, tree, 'sub/twin'), 'utf8')).toBe('one');
    expect(statSync(join(root, tree, 'sub/twin')).nlink).toBe(1);
    expect(existsSync(join(root, tree, 'one'))).toBe(false);
    rmSync(join(tree, 'sub/twin'));
    await restore({ mode: 'merge', artifact: snapshot.artifact, destination: { paths: [tree] } }, context);
    expect(readFileSync(join(tree, 'sub/twin'), 'utf8')).toBe('one');
  });

  test('one that is not in the snapshot fails before anything is written', async () => {
    const { context, home, tree, snapshot } = await smallBench();
    const before = listTree(home);
    const request = { mode: 'replace' as const, artifact: snapshot.artifact, destination: { paths: [tree] } };
    const paths = [join(tree, 'one'), join(tree, 'on'), join(tree, '*')];
    await expect(restore({ ...request, paths }, context)).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('tree/*'),
    });
    await expect(restore({ ...request, paths: ['../etc'] }, context)).rejects.toMatchObject({ code: 'usage' });
    expect(listTree(home)).toEqual(before);
  });

  test('all captured paths below a chosen one come back', async () => {
    const { context, folder, home, repository } = await bench();
    for (const name of ['a', 'b']) mkdirSync(join(home, name));
    const paths = [join(home, 'a'), join(home, 'b')];
    const snapshot = await takeSnapshot({ paths }, context, repository);
    const root = join(folder, 'root');
    await restore({ mode: 'new', artifact: snapshot.artifact, destination: { paths, root }, paths: [home] }, context);
    expect(namesIn(join(root, home))).toEqual(['a', 'b']);
  });

  test('below a captured path no symlink is followed', async () => {
    const { context, folder, tree, snapshot } = await smallBench();
    mkdirSync(join(folder, 'outside'));
    rmSync(join(tree, 'sub'), { recursive: true });
    symlinkSync(join(folder, 'outside'), join(tree, 'sub'));
    for (const mode of ['new', 'replace'] as const) {
      const request = {
        mode,
        artifact: snapshot.artifact,
        destination: { paths: [tree] },
        paths: [join(tree, 'sub/two')],
      };
      await expect(restore(request, context)).rejects.toMatchObject({
        code: 'target',
        message: expect.stringContaining(`"${join(tree, 'sub')}" is not a folder there`),
      });
    }
    expect(namesIn(join(folder, 'outside'))).toEqual([]);
  });
});

test('the root folder itself can be captured, with what include leaves of it', async () => {
  const { context, folder, tree, repository } = await smallBench();
  const target = { paths: ['/'], include: [`${tree.slice(1)}/**`] };
  const snapshot = await takeSnapshot(target, context, repository);
  const root = join(folder, 'root');
  const request = { artifact: snapshot.artifact, destination: { ...target, root }, expectedFacts: snapshot.facts };
  const { facts } = await restore({ ...request, mode: 'new' }, context);
  // The folders above belong to root.
  expect(facts).toEqual(process.getuid?.() === 0 ? snapshot.facts : null);
  expect(listTree(join(root, tree))).toEqual(listTree(tree));
  rmSync(join(root, tree, 'one'));
  expect((await restore({ ...request, mode: 'merge' }, context)).restored).toEqual({ entries: 1 });
  const { keptOld } = await restore({ ...request, mode: 'replace' }, context);
  expect(keptOld).toEqual([{ type: 'files', reference: join(folder, `.root.bkp-old-${SNAPSHOT}`) }]);
});

describe('symlinks on the way', () => {
  test('to a captured path are the own ones of the user and followed', async () => {
    const { context, home, folder, repository } = await bench();
    mkdirSync(join(home, 'real/tree'), { recursive: true });
    symlinkSync('real', join(home, 'link'));
    const tree = join(home, 'link/tree');
    const snapshot = await takeSnapshot({ paths: [tree] }, context, repository);
    rmSync(tree, { recursive: true });
    await restore({ mode: 'new', artifact: snapshot.artifact, destination: { paths: [tree] } }, context);
    expect(namesIn(join(home, 'real'))).toEqual(['tree']);
    const { keptOld } = await restore(
      { mode: 'replace', artifact: snapshot.artifact, destination: { paths: [tree] } },
      context,
    );
    expect(keptOld[0]?.reference).toBe(join(home, `real/.tree.bkp-old-${SNAPSHOT}`));

    const root = join(folder, 'root-link');
    mkdirSync(join(folder, 'root'));
    symlinkSync('root', root);
    await restore({ mode: 'new', artifact: snapshot.artifact, destination: { paths: [tree], root } }, context);
    expect(existsSync(join(folder, 'root', tree))).toBe(true);
  });

  test('below another root are never followed', async () => {
    const { context, tree, folder, snapshot } = await smallBench();
    const root = join(folder, 'root');
    const outside = join(folder, 'outside');
    mkdirSync(root);
    mkdirSync(outside);
    symlinkSync(outside, join(root, tree.split('/')[1] ?? ''));
    for (const mode of ['new', 'replace', 'merge'] as const) {
      const request = { mode, artifact: snapshot.artifact, destination: { paths: [tree], root } };
      await expect(restore(request, context)).rejects.toMatchObject({
        code: 'target',
        message: expect.stringContaining('is not a folder there'),
      });
    }
    expect(namesIn(outside)).toEqual([]);
  });
});
