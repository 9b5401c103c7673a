import {
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  appendFileSync,
  chmodSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import type { Context } from '../../../src/context.ts';
import type { TargetOf } from '../../../src/engines/engine.ts';
import { fromText } from '../../../src/engines/files/byte-name.ts';
import { files } from '../../../src/engines/files/files.ts';
import type { Judgement } from '../../../src/streams/bytes.ts';
import { testContext } from '../../test-context.ts';
import { type ReadMember, readMembers } from './archives.ts';
import { makeOddTree, makeSocket, HUGE_BYTES } from './odd-tree.ts';
import { SNAPSHOT, takeSnapshot } from './snapshots.ts';

type Target = Omit<TargetOf<'files'>, 'type'>;

interface RawCapture {
  readonly members: readonly ReadMember[];
  readonly judgement: Judgement | undefined;
}

/** Captures, and lets the test interfere while tar waits for its reader in the middle of the first large file. */
async function capture(target: Target, context: Context, interfere: () => void = () => undefined): Promise<RawCapture> {
  const captured = await files.capture({ type: 'files', ...target }, context);
  try {
    const source = captured.artifacts[0]?.source;
    if (source?.kind !== 'process') throw new Error('not a process');
    const running = context.start(source.process, { stdin: 'ignore', stdout: 'pipe' });
    const stdout = running.stdout as Readable;
    await new Promise((resolve) => stdout.once('readable', resolve));
    interfere();
    const archive = await buffer(stdout);
    const judgement = source.judge?.(await running.closed);
    return { members: judgement?.verdict === 'failed' ? [] : readMembers(archive), judgement };
  } finally {
    await captured.close();
  }
}

const namesOf = (captured: RawCapture, base: string): readonly string[] => {
  const prefix = base.slice(1);
  return captured.members.map(({ entry }) => {
    expect(entry.name === prefix || entry.name.startsWith(`${prefix}/`)).toBe(true);
    return entry.name.slice(prefix.length + 1);
  });
};

describe('what is captured', () => {
  test('everything a tree may hold, named relative to /', async () => {
    const { context, folder } = await testContext();
    const tree = join(folder, 'tree');
    await makeOddTree(tree);
    const { members, judgement } = await capture({ paths: [tree] }, context);
    expect(judgement).toEqual({ verdict: 'ok', warnings: [] });
    const prefix = fromText(tree).slice(1);
    const byName = new Map(members.map((member) => [member.entry.name.slice(prefix.length + 1), member.entry]));
    expect(byName.size).toBe(members.length);
    expect(byName.get('')).toMatchObject({ type: 'folder' });
    expect(byName.get('folder/plain')).toMatchObject({ type: 'link', target: `${prefix}/a-third` });
    expect(byName.get('a-third')).toMatchObject({ type: 'file', size: 6, mtime: '1612325106.123456789' });
    expect(byName.get('to-file')).toMatchObject({
      type: 'symlink',
      target: 'folder/plain',
      mtime: '1577836800.000000001',
    });
    expect(byName.get('to-outside')).toMatchObject({ type: 'symlink', target: '../../../outside' });
    expect(byName.get('pipe')).toMatchObject({ type: 'fifo', mode: 0o640 });
    expect(byName.get('set-id')).toMatchObject({ mode: 0o4751 });
    expect(byName.get('sticky')).toMatchObject({ type: 'folder', mode: 0o1777 });
    expect(byName.get('huge')).toMatchObject({ type: 'file', size: HUGE_BYTES });
    expect(byName.get('bad\xff\xfe')).toMatchObject({ type: 'file', size: 9 });
    for (const name of [
      'new\nline',
      '--checkpoint-action=exec=false',
      '*[glob]?',
      String.raw`back\nslash\101`,
      'l'.repeat(240),
      fromText('ünïcödé-日本'),
    ]) {
      expect(byName.get(name)?.type, name).toBe('file');
    }
    expect(byName.get('attributes')?.attributes).toEqual(
      expect.arrayContaining([
        ['SCHILY.xattr.user.colour', 'blue'],
        ['SCHILY.xattr.user.blank', ''],
        ['SCHILY.xattr.user.lines', 'a\nb=c'],
      ]),
    );
    const acl = byName.get('acl')?.attributes.map(([key]) => key);
    expect(acl).toContain('SCHILY.xattr.system.posix_acl_access');
    expect(acl).toContain('SCHILY.xattr.system.posix_acl_default');
  });

  test('several paths, each once, sorted; a path in another one is not captured twice', async () => {
    const { context, folder } = await testContext();
    for (const name of ['b', 'a/inner', 'c']) mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, 'file'), 'x');
    const paths = ['c', 'file', 'a', 'a/inner', 'b', 'b/../b'].map((name) => join(folder, name));
    const expected = ['a', 'a/inner', 'b', 'c', 'file'];
    expect(namesOf(await capture({ paths }, context), folder)).toEqual(expected);
    expect(namesOf(await capture({ paths, oneFileSystem: true }, context), folder)).toEqual(expected);
    expect(namesOf(await capture({ paths, exclude: ['nothing'] }, context), folder)).toEqual(expected);
  });

  test('the same tree gives the same bytes and facts, with and without a list of names', async () => {
    const { context, folder } = await testContext();
    const tree = join(folder, 'tree');
    await makeOddTree(tree);
    const one = await takeSnapshot({ paths: [tree] }, context, join(folder, 'repository'));
    const two = await takeSnapshot({ paths: [tree], exclude: ['nothing'] }, context, join(folder, 'repository'));
    expect(two.facts).toEqual(one.facts);
    expect(one.facts).toMatchObject({ entries: 29, folders: 7, links: 6, files: 15 });
  });
});

describe('include and exclude', () => {
  const tree = [
    'app.conf',
    'deep/er/x.conf',
    'deep/er/x.log',
    'deep/y.log',
    'logs/a.log',
    'whole/a/b',
    'whole/a/c.log',
    'new\nline.conf',
  ];

  test.each<[Omit<Target, 'paths'>, readonly string[]]>([
    [{ include: ['**/*.conf'] }, ['', 'app.conf', 'deep', 'deep/er', 'deep/er/x.conf', 'new\nline.conf']],
    [{ include: ['*.conf'] }, ['', 'app.conf', 'new\nline.conf']],
    [{ include: ['whole'] }, ['', 'whole', 'whole/a', 'whole/a/b', 'whole/a/c.log']],
    [{ include: ['whole'], exclude: ['**/*.log'] }, ['', 'whole', 'whole/a', 'whole/a/b']],
    [{ include: ['deep/**'], exclude: ['deep/er'] }, ['', 'deep', 'deep/y.log']],
    [
      { exclude: ['**/*.log', 'whole/**', 'n?w*'] },
      ['', 'app.conf', 'deep', 'deep/er', 'deep/er/x.conf', 'logs', 'whole'],
    ],
    [{ exclude: ['*/'] }, ['', 'app.conf', 'new\nline.conf']],
  ])('%j', async (globs, expected) => {
    const { context, folder } = await testContext();
    const base = join(folder, 'tree');
    for (const name of tree) {
      mkdirSync(join(base, name, '..'), { recursive: true });
      writeFileSync(join(base, name), name);
    }
    const captured = await capture({ paths: [base], ...globs }, context);
    expect(namesOf(captured, base)).toEqual(expected);
    expect(captured.judgement).toEqual({ verdict: 'ok', warnings: [] });
  });

  test('a path that is a file itself is always captured; nothing that matches is told', async () => {
    const { context, folder } = await testContext();
    writeFileSync(join(folder, 'single'), 'x');
    mkdirSync(join(folder, 'tree'));
    const paths = [join(folder, 'single'), join(folder, 'tree')];
    const captured = await capture({ paths, include: ['*.conf'] }, context);
    expect(namesOf(captured, folder)).toEqual(['single', 'tree']);
    expect(captured.judgement?.verdict === 'ok' && captured.judgement.warnings).toEqual([
      `nothing in "${join(folder, 'tree')}" matches \`include\``,
    ]);
  });

  test('an excluded folder is not entered, even when it could not be', async () => {
    const { context, folder } = await testContext();
    mkdirSync(join(folder, 'tree/closed'), { recursive: true });
    chmodSync(join(folder, 'tree/closed'), 0);
    const captured = await capture({ paths: [join(folder, 'tree')], exclude: ['closed'] }, context);
    chmodSync(join(folder, 'tree/closed'), 0o700);
    expect(namesOf(captured, join(folder, 'tree'))).toEqual(['']);
  });
});

describe("what is bkp's own", () => {
  test.each([[{}], [{ exclude: ['nothing'] }]])('is left out, and only that: %j', async (globs) => {
    const { context, folder } = await testContext();
    for (const name of ['app', `.app.bkp-old-${SNAPSHOT}`, `.app.bkp-new-${SNAPSHOT}`, `.app.bkp-old-${SNAPSHOT}-2`]) {
      mkdirSync(join(folder, 'tree', name), { recursive: true });
    }
    writeFileSync(join(folder, 'tree', `.app.bkp-swap-${SNAPSHOT}`), '{}');
    writeFileSync(join(folder, 'tree', '.app.bkp-old-notes'), 'mine');
    writeFileSync(join(folder, 'tree', `app.bkp-old-${SNAPSHOT}`), 'mine too');
    const captured = await capture({ paths: [join(folder, 'tree')], ...globs }, context);
    expect(namesOf(captured, join(folder, 'tree'))).toEqual([
      '',
      '.app.bkp-old-notes',
      'app',
      `app.bkp-old-${SNAPSHOT}`,
    ]);
    const own = { type: 'files' as const, paths: [join(folder, 'tree', `.app.bkp-old-${SNAPSHOT}`)] };
    await expect(files.capture(own, context)).rejects.toThrow('it is what a restore set aside');
  });

  test('the work folder of the run is left out', async () => {
    const { context, folder } = await testContext();
    writeFileSync(join(folder, 'x'), 'x');
    for (const globs of [{}, { exclude: ['nothing'] }]) {
      const captured = await capture({ paths: [folder], ...globs }, context);
      expect(namesOf(captured, folder)).toEqual(['', 'x']);
    }
  });
});

describe('what cannot be captured', () => {
  test('a missing path fails with a hint', async () => {
    const { context, folder } = await testContext();
    const target = { type: 'files' as const, paths: [join(folder, 'gone')] };
    await expect(files.capture(target, context)).rejects.toMatchObject({
      code: 'target',
      message: `cannot capture "${join(folder, 'gone')}": it does not exist`,
      hint: expect.stringContaining('mounted'),
    });
  });

  test('sockets are told, symlinks as paths too', async () => {
    const { context, folder } = await testContext();
    const base = join(folder, 'tree');
    mkdirSync(base);
    symlinkSync('tree', join(folder, 'link'));
    const close = await makeSocket(join(base, 'socket'));
    const link = `"${join(folder, 'link')}" is a symbolic link: the link was captured, not what it points to`;
    const paths = [base, join(folder, 'link')];
    const walked = await capture({ paths }, context);
    const listed = await capture({ paths, exclude: ['nothing'] }, context);
    await close();
    expect(walked.judgement).toEqual({ verdict: 'ok', warnings: [link, `${base.slice(1)}/socket: socket ignored`] });
    expect(listed.judgement).toEqual({
      verdict: 'ok',
      warnings: [link, `"${base}/socket" is a socket: sockets cannot be archived`],
    });
    expect(namesOf(walked, folder)).toEqual(['link', 'tree']);
    expect(namesOf(listed, folder)).toEqual(['link', 'tree']);
  });

  test('a path behind a symlink that is captured as one is refused', async () => {
    const { context, folder } = await testContext();
    mkdirSync(join(folder, 'tree/in'), { recursive: true });
    symlinkSync('tree', join(folder, 'link'));
    const target = { type: 'files' as const, paths: [join(folder, 'link'), join(folder, 'link/in')] };
    await expect(files.capture(target, context)).rejects.toThrow('is a symbolic link and captured as one');
  });

  test('a program that is no tar, and none at all', async () => {
    const { context, folder } = await testContext();
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    const target = { type: 'files' as const, paths: [folder] };
    const withPath = async (): Promise<Context> => (await testContext({ environment: { PATH: bin } })).context;
    await expect(files.capture(target, await withPath())).rejects.toMatchObject({
      code: 'tool',
      hint: expect.any(String),
    });
    for (const [says, message] of [
      ['tar (GNU tar) 1.20', 'GNU tar 1.20 is too old'],
      ['BusyBox v1.36', 'neither GNU tar nor bsdtar: BusyBox v1.36'],
    ]) {
      writeFileSync(join(bin, 'tar'), `#!/bin/sh\necho '${says}'\n`, { mode: 0o755 });
      await expect(files.capture(target, await withPath())).rejects.toThrow(message);
      expect((await files.probe(target, await withPath())).problems[0]?.message).toContain(message);
    }
    expect(context.findTool('tar')).toBeDefined();
  });
});

describe('files that change while they are read', () => {
  const prepare = async (): Promise<{ readonly context: Context; readonly tree: string }> => {
    const { context, folder } = await testContext();
    const tree = join(folder, 'tree');
    mkdirSync(tree);
    writeFileSync(join(tree, 'a-large'), Buffer.alloc(16_000_000, 'a'));
    writeFileSync(join(tree, 'b-small'), 'b');
    mkdirSync(join(tree, 'c-folder'));
    writeFileSync(join(tree, 'c-folder/inside'), 'c');
    return { context, tree };
  };
  const large = 16_000_000;

  test.each<[string, (tree: string) => void, RegExp]>([
    ['grows', (tree) => appendFileSync(join(tree, 'a-large'), 'more'), /a-large: file changed as we read it/],
    [
      'shrinks',
      (tree) => truncateSync(join(tree, 'a-large'), 1_000_000),
      /a-large: File shrank by \d+ bytes; padding with zeros/,
    ],
    ['is removed in time', (tree) => rmSync(join(tree, 'b-small')), /b-small: File removed before we read it/],
    [
      'is a folder that goes',
      (tree) => rmSync(join(tree, 'c-folder'), { recursive: true }),
      /c-folder: File removed before we read it/,
    ],
  ])('one that %s asks for another try', async (_, interfere, message) => {
    const { context, tree } = await prepare();
    const captured = await capture({ paths: [tree] }, context, () => interfere(tree));
    expect(captured.judgement?.verdict).toBe('retry');
    const warnings = captured.judgement?.verdict === 'retry' ? captured.judgement.warnings : [];
    expect(warnings.join('\n')).toMatch(message);
    const archived = captured.members.find(({ entry }) => entry.name.endsWith('a-large'));
    expect(archived?.entry.size).toBe(large);
  });

  test('one of a list that vanishes asks for another try too', async () => {
    const { context, tree } = await prepare();
    const captured = await capture({ paths: [tree], exclude: ['nothing'] }, context, () => {
      rmSync(join(tree, 'b-small'));
      renameSync(join(tree, 'c-folder'), join(tree, 'd-folder'));
    });
    expect(captured.judgement?.verdict).toBe('retry');
    expect(namesOf(captured, tree)).toEqual(['', 'a-large']);
    const again = await capture({ paths: [tree], exclude: ['nothing'] }, context);
    expect(namesOf(again, tree)).toEqual(['', 'a-large', 'd-folder', 'd-folder/inside']);
  });

  test('a capture that is cut off by its reader or killed is not accepted', async () => {
    const { context, tree } = await prepare();
    const captured = await files.capture({ type: 'files', paths: [tree] }, context);
    const source = captured.artifacts[0]?.source;
    if (source?.kind !== 'process') throw new Error('not a process');
    const running = context.start(source.process, { stdin: 'ignore', stdout: 'pipe' });
    running.stop();
    const end = await running.closed;
    expect(source.judge?.(end)).toMatchObject({
      verdict: 'failed',
      reason: expect.stringContaining('stopped by SIGTERM'),
    });
    await captured.close();
  });
});

test('the time of a capture spans its reading', async () => {
  const { context, folder } = await testContext();
  const target = { type: 'files' as const, paths: [folder] };
  const captured = await files.capture(target, context);
  const [start, early] = captured.pointInTime;
  await new Promise((resolve) => setTimeout(resolve, 20));
  const [sameStart, late] = captured.pointInTime;
  await captured.close();
  expect(sameStart).toEqual(start);
  expect(late.getTime()).toBeGreaterThan(early.getTime());
});
