import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { openDirectoryRepository } from '../../src/repositories/directory.ts';
import { fileSteps, type FileSteps } from '../../src/repositories/file-steps.ts';
import type { Repository } from '../../src/repositories/repository.ts';
import { systemClock } from '../../src/system/clock.ts';
import { describeHost } from '../../src/system/host.ts';
import { testFolder } from '../test-context.ts';
import { failSteps, watchSteps } from './stepping.ts';

const edge = { clock: systemClock, host: describeHost() };
const open = (path: string, steps?: FileSteps): Repository =>
  openDirectoryRepository({ path }, steps === undefined ? edge : { ...edge, fileSteps: steps });
const modeOf = (path: string): number => lstatSync(path).mode & 0o777;
const filesIn = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => entry.name);

describe('the folder', () => {
  test('files are 0600 and folders 0700, whatever the umask', async () => {
    const root = join(await testFolder(), 'made', 'here');
    const before = process.umask(0o077);
    try {
      for (const umask of [0o000, 0o077]) {
        process.umask(umask);
        const repository = open(root);
        await repository.prepare();
        await repository.put(`a/b/${umask}`, Buffer.from('x'));
        await repository.create(`c/${umask}`, Buffer.from('x'));
        for (const folder of ['', 'a', 'a/b', 'c', '.tmp']) expect(modeOf(join(root, folder))).toBe(0o700);
        for (const file of [`a/b/${umask}`, `c/${umask}`]) expect(modeOf(join(root, file))).toBe(0o600);
      }
    } finally {
      process.umask(before);
    }
  });

  test('a missing root is an error everywhere and is never made by a write', async () => {
    const root = join(await testFolder(), 'unmounted');
    const repository = open(root);
    const attempts: (() => Promise<unknown>)[] = [
      () => repository.list('', 'deep'),
      () => repository.list('manifests/', 'shallow'),
      () => repository.stat('a'),
      () => repository.read('a'),
      () => repository.open('a'),
      () => repository.put('a/b', Buffer.from('x')),
      () => repository.create('a/b', Buffer.from('x')),
      () => repository.remove('a/b'),
      () => repository.sweep(),
      () => repository.freeBytes(),
    ];
    for (const attempt of attempts) {
      await expect(attempt()).rejects.toMatchObject({
        code: 'repository',
        hint: expect.stringContaining('mounted'),
      });
    }
    expect(await repository.exists()).toBe(false);
    expect(existsSync(root)).toBe(false);
    await repository.prepare();
    expect(await repository.exists()).toBe(true);
  });

  test('a root that is a file is refused', async () => {
    const root = join(await testFolder(), 'file');
    writeFileSync(root, '');
    await expect(open(root).list('', 'deep')).rejects.toThrow(/it is not a folder/);
    await expect(open(root).prepare()).rejects.toMatchObject({ code: 'repository' });
  });

  test('symbolic links inside are refused, not followed and not overlooked', async () => {
    const folder = await testFolder();
    const root = join(folder, 'root');
    mkdirSync(join(folder, 'outside'));
    writeFileSync(join(folder, 'outside', 'secret'), 'secret');
    const repository = open(root);
    await repository.prepare();
    symlinkSync('../outside', join(root, 'linked'));
    mkdirSync(join(root, 'real'));
    symlinkSync('../../outside/secret', join(root, 'real', 'file'));
    for (const key of ['linked/secret', 'linked/new/deep', 'real/file']) {
      await expect(repository.put(key, Buffer.from('x'))).rejects.toThrow(/symbolic link/);
    }
    for (const key of ['linked/secret', 'real/file']) {
      await expect(repository.create(key, Buffer.from('x'))).rejects.toThrow(/symbolic link/);
      await expect(repository.read(key)).rejects.toThrow(/symbolic link/);
      await expect(repository.open(key)).rejects.toThrow(/symbolic link/);
      await expect(repository.stat(key)).rejects.toThrow(/symbolic link/);
      await expect(repository.remove(key)).rejects.toThrow(/symbolic link/);
    }
    await expect(repository.list('', 'deep')).rejects.toThrow(/symbolic link/);
    await expect(repository.list('linked/', 'deep')).rejects.toThrow(/symbolic link/);
    await expect(repository.list('real/', 'shallow')).rejects.toThrow(/symbolic link/);
    expect(readdirSync(join(folder, 'outside'))).toEqual(['secret']);
  });

  test('the root itself may be a symbolic link', async () => {
    const folder = await testFolder();
    mkdirSync(join(folder, 'disk'));
    symlinkSync('disk', join(folder, 'root'));
    const repository = open(join(folder, 'root'));
    await repository.put('a/b', Buffer.from('x'));
    expect(await repository.list('', 'deep')).toEqual(['a/b']);
  });

  test('a pipe in the place of an object is refused, not waited for', async () => {
    const root = await testFolder();
    execFileSync('mkfifo', [join(root, 'pipe')]);
    await expect(open(root).read('pipe')).rejects.toThrow(/not a regular file/);
    await expect(open(root).open('pipe')).rejects.toThrow(/not a regular file/);
    expect(await open(root).list('', 'deep')).toEqual([]);
  });

  test('names the path of an object and shows nothing of the store itself', async () => {
    const root = await testFolder();
    const repository = open(root);
    await repository.put('a/b', Buffer.from('x'));
    writeFileSync(join(root, '.DS_Store'), '');
    expect(repository.localPath('a/b')).toBe(join(root, 'a/b'));
    expect(await repository.list('', 'shallow')).toEqual(['a/']);
  });
});

describe('temporary files', () => {
  const placed = (root: string): readonly string[] => readdirSync(join(root, '.tmp'));

  test('are invisible, and those of living writers stay', async () => {
    const root = await testFolder();
    const repository = open(root);
    let finish: () => void = () => undefined;
    const slow = new Readable({ read: () => undefined });
    slow.push('first half');
    finish = () => slow.push(null);
    const writing = repository.put('slow', slow);
    await expect.poll(() => existsSync(join(root, '.tmp')) && placed(root).length).toBe(1);
    expect(await repository.list('', 'deep')).toEqual([]);
    expect(await repository.sweep()).toBe(0);
    finish();
    expect(await writing).toEqual({ bytes: 10 });
    expect(placed(root)).toEqual([]);
  });

  test('of dead writers of this machine are swept at once, of other machines after a day', async () => {
    const root = await testFolder();
    const dead = { ...edge.host, pid: 4_194_304, isAlive: (pid: number) => pid !== 4_194_304 };
    const elsewhere = { ...edge.host, name: 'elsewhere' };
    const stuck = failSteps(fileSteps, (name) => (name === 'rename' || name === 'removeFile' ? 'EIO' : undefined));
    for (const host of [dead, elsewhere]) {
      const repository = openDirectoryRepository({ path: root }, { ...edge, host, fileSteps: stuck });
      await expect(repository.put('x', Buffer.from('x'))).rejects.toMatchObject({ code: 'repository' });
    }
    expect(placed(root)).toHaveLength(2);
    const repository = openDirectoryRepository({ path: root }, { ...edge, host: dead });
    expect(await repository.sweep()).toBe(1);
    expect(await repository.sweep()).toBe(0);
    const yesterday = Date.now() / 1000 - 25 * 3600;
    for (const name of placed(root)) utimesSync(join(root, '.tmp', name), yesterday, yesterday);
    expect(await repository.sweep()).toBe(1);
    expect(placed(root)).toEqual([]);
  });
});

describe('a failing file system', () => {
  const cases = [
    ['ENOSPC', /no space left/, /retention/],
    ['EDQUOT', /quota/, /retention/],
    ['EROFS', /read-only/, /writable/],
    ['EACCES', /permission denied/, /user/],
    ['EIO', /disk reports an error/, /check the disk/],
    ['ESTALE', /file system is gone/, /mount/],
  ] as const;

  test.each(cases)('%s is explained and leaves nothing visible, whichever step it hits', async (code, reason, hint) => {
    const names: (keyof FileSteps)[] = ['createFile', 'write', 'syncFile', 'rename', 'link', 'makeFolder'];
    for (const failing of names) {
      const root = await testFolder();
      await open(root).put('old/object', Buffer.from('old'));
      const repository = open(
        root,
        failSteps(fileSteps, (name) => (name === failing ? code : undefined)),
      );
      const expected = {
        code: 'repository',
        message: expect.stringMatching(reason),
        hint: expect.stringMatching(hint),
      };
      const attempts = [
        ...(failing === 'link' ? [] : [() => repository.put('new/object', Readable.from([Buffer.from('new')]))]),
        ...(failing === 'rename' ? [] : [() => repository.create('new/created', Buffer.from('new'))]),
      ];
      for (const attempt of attempts) await expect(attempt()).rejects.toMatchObject(expected);
      expect(await open(root).list('', 'deep')).toEqual(['old/object']);
      expect((await open(root).read('old/object')).toString()).toBe('old');
      expect(filesIn(join(root, '.tmp'))).toEqual([]);
    }
  });

  test('without hard links, create is refused unless there is a single writer', async () => {
    const root = await testFolder();
    const withoutLinks = failSteps(fileSteps, (name) => (name === 'link' ? 'EPERM' : undefined));
    await expect(open(root, withoutLinks).create('a', Buffer.from('x'))).rejects.toMatchObject({
      code: 'repository',
      hint: expect.stringContaining('singleWriter'),
    });
    const single = openDirectoryRepository({ path: root, singleWriter: true }, { ...edge, fileSteps: withoutLinks });
    expect(await single.create('a', Buffer.from('first'))).toBe(true);
    expect(await single.create('a', Buffer.from('second'))).toBe(false);
    expect((await single.read('a')).toString()).toBe('first');
    expect(filesIn(join(root, '.tmp'))).toEqual([]);
  });

  test('a link whose answer got lost counts as made', async () => {
    const root = await testFolder();
    const forgetful: FileSteps = {
      ...fileSteps,
      link: async (from, to) => {
        await fileSteps.link(from, to);
        throw Object.assign(new Error('EEXIST'), { code: 'EEXIST', syscall: 'link' });
      },
    };
    expect(await open(root, forgetful).create('a', Buffer.from('mine'))).toBe(true);
    expect(await open(root, forgetful).create('a', Buffer.from('other'))).toBe(false);
  });

  test('the root that vanishes while it is used is an error', async () => {
    const folder = await testFolder();
    const root = join(folder, 'root');
    const repository = open(root);
    await repository.prepare();
    await repository.put('a/b', Buffer.from('x'));
    renameSync(root, join(folder, 'moved'));
    await expect(repository.put('a/c', Buffer.from('x'))).rejects.toMatchObject({ code: 'repository' });
    await expect(repository.read('a/b')).rejects.toMatchObject({ code: 'repository' });
    expect(existsSync(root)).toBe(false);
  });
});

describe('as an unprivileged user', () => {
  test('a folder that may not be entered is an error, not an empty listing', async () => {
    const root = await testFolder();
    await open(root).put('manifests/kong/a.json', Buffer.from('x'));
    chmodSync(join(root, 'manifests'), 0o000);
    const script = `
      import { openDirectoryRepository } from ${JSON.stringify(new URL('../../src/repositories/directory.ts', import.meta.url).pathname)};
      import { describeHost } from ${JSON.stringify(new URL('../../src/system/host.ts', import.meta.url).pathname)};
      const repository = openDirectoryRepository({ path: ${JSON.stringify(root)} }, { clock: { now: () => new Date(), monotonicMs: () => 0 }, host: describeHost() });
      if (process.getuid() === 0) process.setuid(65534);
      const codes = [];
      for (const attempt of [() => repository.list('manifests/', 'deep'), () => repository.stat('manifests/kong/a.json'), () => repository.read('manifests/kong/a.json'), () => repository.put('x', Buffer.from('x'))]) {
        await attempt().then(() => codes.push('fine'), (error) => codes.push(error.code));
      }
      console.log(codes.join(' '));`;
    chmodSync(root, 0o755);
    try {
      const output = execFileSync(process.execPath, ['--input-type=module-typescript', '-e', script], {
        encoding: 'utf8',
      });
      const put = process.getuid?.() === 0 ? 'repository' : 'fine';
      expect(output.trim()).toBe(`repository repository repository ${put}`);
    } finally {
      chmodSync(join(root, 'manifests'), 0o700);
    }
  });
});

describe('blocks that are shared', () => {
  test('as one file under two names, each of which can be replaced and removed', async () => {
    const root = await testFolder();
    const repository = openDirectoryRepository({ path: root, dedupe: 'hardlink' }, edge);
    await repository.put('s/one/a', Buffer.from('content'));
    for (let times = 0; times < 2; times++) expect(await repository.clone('s/one/a', 's/two/a')).toBe(true);
    const inodeOf = (key: string): number => lstatSync(join(root, key)).ino;
    expect(inodeOf('s/two/a')).toBe(inodeOf('s/one/a'));
    await repository.put('s/two/a', Buffer.from('other'));
    expect((await repository.read('s/one/a')).toString()).toBe('content');
    expect(filesIn(join(root, '.tmp'))).toEqual([]);
  });

  test('as one file under two names, with a look at how large it is', async () => {
    const root = await testFolder();
    const steps: string[] = [];
    const repository = openDirectoryRepository(
      { path: root, dedupe: 'hardlink' },
      { ...edge, fileSteps: watchSteps(fileSteps, (name) => void steps.push(name)) },
    );
    await repository.put('s/one/a', Buffer.from('content'));
    await repository.put('s/two/taken', Buffer.from('other'));
    steps.length = 0;
    expect(await repository.clone('s/one/a', 's/two/a', 6)).toBe(false);
    expect(steps).toEqual([]);
    expect(await repository.clone('s/one/a', 's/two/a', 7)).toBe(true);
    expect(steps).toEqual(['link', 'syncFolder']);
    expect(await repository.clone('s/one/a', 's/two/taken', 7)).toBe(true);
    expect((await repository.read('s/two/taken')).toString()).toBe('content');
  });

  test('where the file system cannot, nothing is changed and nothing left', async () => {
    const root = await testFolder();
    const repository = open(
      root,
      failSteps(fileSteps, (name) => (name === 'reflink' ? 'EOPNOTSUPP' : undefined)),
    );
    await repository.put('s/one/a', Buffer.from('content'));
    expect(await repository.clone('s/one/a', 's/two/a')).toBe(false);
    expect(await repository.list('', 'deep')).toEqual(['s/one/a']);
    expect(filesIn(join(root, '.tmp'))).toEqual([]);
  });

  test('a full disk is an error, not a reason to write it all', async () => {
    const root = await testFolder();
    const repository = open(
      root,
      failSteps(fileSteps, (name) => (name === 'reflink' ? 'ENOSPC' : undefined)),
    );
    await repository.put('s/one/a', Buffer.from('content'));
    await expect(repository.clone('s/one/a', 's/two/a')).rejects.toMatchObject({ code: 'repository' });
  });
});
