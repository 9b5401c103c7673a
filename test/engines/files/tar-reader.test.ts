import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { link as hardLink, mkdir, open, symlink as softLink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { extract } from 'tar-stream';
import { describe, expect, test } from 'vitest';
import { fromText } from '../../../src/engines/files/byte-name.ts';
import { testFolder } from '../../test-context.ts';
import { file, fixChecksum, folder, link, makeArchive, readMembers, symlink } from './archives.ts';

const sha256 = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');
const tar = (...argv: readonly string[]): void => {
  execFileSync('tar', argv, { env: { ...process.env, LC_ALL: 'C' } });
};

/** A tree with what plain formats can hold. */
async function plainTree(base: string): Promise<void> {
  await mkdir(join(base, 'd/e'), { recursive: true });
  await writeFile(join(base, 'd/small'), 'small');
  await writeFile(join(base, 'd/large'), Buffer.alloc(300_000, 'large'));
  await writeFile(join(base, 'empty'), '');
  await writeFile(join(base, 'd/page'), Buffer.alloc(1024, 'p'));
  await softLink('../nowhere', join(base, 'd/e/dangling'));
  await hardLink(join(base, 'd/small'), join(base, 'd/twin'));
  await utimes(join(base, 'd/small'), 1_600_000_000, 1_600_000_000);
}

describe('archives of GNU tar', () => {
  test.each(['v7', 'ustar', 'oldgnu', 'gnu', 'posix'])('format %s is read as tar-stream reads it', async (format) => {
    const base = await testFolder();
    await plainTree(base);
    const path = join(base, '../', `${format}.tar`);
    tar('-C', base, `--format=${format}`, '--numeric-owner', '-cf', path, '.');
    const archive = readFileSync(path);
    const found = readMembers(archive).map(({ entry, sha256: hash }) => ({
      name: entry.name,
      type: entry.type,
      size: entry.size,
      mode: entry.mode,
      seconds: Math.floor(Number(entry.mtime)),
      target: entry.target,
      hash,
    }));
    const expected: typeof found = [];
    const types = { file: 'file', directory: 'folder', symlink: 'symlink', link: 'link' } as const;
    const reader = extract({ allowUnknownFormat: true } as Parameters<typeof extract>[0]);
    Readable.from([archive]).pipe(reader);
    for await (const member of reader) {
      const { header } = member;
      const chunks: Buffer[] = [];
      for await (const chunk of member) chunks.push(chunk as Buffer);
      const canonical = (name: string): string => name.replace(/^\.\//, '').replace(/\/$/, '') || '.';
      const type = types[header.type as keyof typeof types];
      expected.push({
        name: canonical(header.name),
        type,
        size: header.size ?? 0,
        mode: header.mode ?? 0,
        seconds: Math.floor(
          Number((header.pax as { mtime?: string } | null)?.mtime ?? (header.mtime?.getTime() ?? 0) / 1000),
        ),
        target: type === 'link' ? canonical(header.linkname ?? '') : (header.linkname ?? ''),
        hash: sha256(Buffer.concat(chunks)),
      });
    }
    expect(found).toEqual(expected);
    expect(found).toHaveLength(9);
  });

  test.each([
    ['--format=oldgnu'],
    ['--format=posix', '--sparse-version=0.0'],
    ['--format=posix', '--sparse-version=0.1'],
    ['--format=posix', '--sparse-version=1.0'],
  ])('sparse files come out whole: %s %s', async (...formats) => {
    const base = await testFolder();
    const path = join(base, 'sparse');
    const handle = await open(path, 'w');
    // More runs than fit into one header of any format, and a hole at the end.
    for (let run = 0; run < 60; run++) await handle.write(Buffer.alloc(5000, run + 1), 0, 5000, run * 65_536);
    await handle.truncate(70 * 65_536);
    await handle.close();
    tar('-C', base, ...formats, '--sparse', '-cf', `${path}.tar`, 'sparse');
    const archive = readFileSync(`${path}.tar`);
    expect(archive.length).toBeLessThan(1_000_000);
    for (const pieces of [[65_536], [1000, 13, 512]]) {
      const [member] = readMembers(archive, pieces);
      expect(member?.entry).toMatchObject({ name: 'sparse', type: 'file', size: 70 * 65_536 });
      expect(member?.sha256).toBe(sha256(readFileSync(path)));
    }
  });

  test('long, odd and non-UTF-8 names keep their bytes', async () => {
    const base = await testFolder();
    const names = [
      `${'n'.repeat(120)}-${'é'.repeat(60)}`,
      'new\nline',
      ' blank ',
      '-rf',
      '--help',
      String.raw`back\slash`,
      '*?[x]',
    ];
    for (const name of names) await writeFile(join(base, name), name);
    const odd = Buffer.from('626164fffe', 'hex');
    await writeFile(Buffer.concat([Buffer.from(`${base}/`), odd]), 'odd');
    for (const format of ['gnu', 'posix']) {
      const path = join(base, `../${format}.tar`);
      tar('-C', base, `--format=${format}`, '-cf', path, '.');
      const found = readMembers(readFileSync(path), [700]).map(({ entry }) => entry.name);
      expect(found.toSorted()).toEqual(['.', ...names.map(fromText), 'bad\xff\xfe'].toSorted());
    }
  });

  test('times keep their nanoseconds, also before 1970', async () => {
    const base = await testFolder();
    await writeFile(join(base, 'now'), '');
    await writeFile(join(base, 'old'), '');
    execFileSync('touch', ['-d', '2026-11-19T02:00:00.123456789Z', join(base, 'now')]);
    execFileSync('touch', ['-d', '1969-12-31T23:59:58.25Z', join(base, 'old')]);
    tar('-C', base, '--format=posix', '-cf', `${base}/x.tar`, 'now', 'old');
    const times = readMembers(readFileSync(`${base}/x.tar`)).map(({ entry }) => entry.mtime);
    expect(times).toEqual(['1795053600.123456789', '-1.75']);
  });
});

describe('damage', () => {
  const members = [
    folder('a'),
    file('a/one', 'x'.repeat(2000)),
    symlink('a/s', 'one'),
    link('a/l', 'a/one'),
    file('ü'.repeat(80), 'y'),
  ];

  test('pieces of any size give the same', async () => {
    const archive = await makeArchive(...members);
    const whole = readMembers(archive);
    expect(whole).toHaveLength(5);
    for (const pieces of [[1], [511], [513], [512], [3, 1024, 7]]) expect(readMembers(archive, pieces)).toEqual(whole);
  });

  test('an archive that is cut anywhere is not accepted', async () => {
    const archive = await makeArchive(...members);
    for (let length = 0; length < archive.length; length += length % 512 === 511 ? 1 : 511) {
      expect(() => readMembers(archive.subarray(0, length)), `cut to ${length}`).toThrow('cannot read the archive');
    }
    const path = await testFolder();
    await writeFile(join(path, 'x'), 'x');
    tar('-C', path, '-cf', `${path}/x.tar`, 'x');
    const padded = readFileSync(`${path}/x.tar`);
    expect(readMembers(padded)).toHaveLength(1);
    // GNU tar fills its last record with zeros: at least the two blocks of the end mark must be there.
    expect(() => readMembers(padded.subarray(0, 1024 + 512))).toThrow('it ends early');
    expect(readMembers(padded.subarray(0, 1024 + 1024))).toHaveLength(1);
  });

  test.each([
    [
      'a flipped bit in a header',
      (archive: Buffer) => archive.fill((archive[0] as number) ^ 1, 0, 1),
      'wrong checksum',
    ],
    [
      'a lone block of zeros',
      (archive: Buffer) => Buffer.concat([Buffer.alloc(512), archive]),
      'a lone block of zeros',
    ],
    [
      'bytes after the end',
      (archive: Buffer) => Buffer.concat([archive, Buffer.alloc(512, 1)]),
      'bytes stand after its end',
    ],
    ['two archives in a row', (archive: Buffer) => Buffer.concat([archive, archive]), 'bytes stand after its end'],
    [
      'a length that is no multiple of a block',
      (archive: Buffer) => Buffer.concat([archive, Buffer.alloc(5)]),
      'its last block is cut',
    ],
    ['an unknown type', (archive: Buffer) => fixChecksum(archive.fill('M', 156, 157), 0), 'its type "M" is not known'],
    [
      'a number that is none',
      (archive: Buffer) => fixChecksum(archive.fill('9', 124, 130), 0),
      'a number in a header is malformed',
    ],
    [
      'a negative size',
      (archive: Buffer) => fixChecksum(archive.fill(0xff, 124, 136), 0),
      'a number in a header is malformed',
    ],
    [
      'a size beyond all',
      (archive: Buffer) => fixChecksum(archive.fill(0x80, 124, 136), 0),
      'a number in a header is too large',
    ],
    [
      'a folder with bytes',
      (archive: Buffer) => fixChecksum(archive.fill('5', 156, 157), 0),
      'bytes that its type cannot have',
    ],
    ['another format', (archive: Buffer) => fixChecksum(archive.fill('x', 257, 260), 0), 'its format is unknown'],
    ['no archive at all', () => Buffer.alloc(2048, 'text'), 'its format is unknown'],
  ])('%s', async (_, damage, message) => {
    expect(() => readMembers(damage(Buffer.from(archive)))).toThrow(message);
  });
  const archive = makeArchiveOfOne();

  test.each([
    ['a path of two meanings', { path: 'a\0b' }, 'its name is malformed'],
    ['a size that is none', { size: '12x' }, 'a number of its pax header is malformed'],
    [
      'an unknown sparse format',
      { 'GNU.sparse.major': '2', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '1' },
      'its sparse format is not known',
    ],
    [
      'a map that leaves the file',
      { 'GNU.sparse.size': '10', 'GNU.sparse.map': '8,5' },
      'the map of a sparse file is malformed',
    ],
    [
      'a map that goes back',
      { 'GNU.sparse.size': '99', 'GNU.sparse.map': '8,3,2,2' },
      'the map of a sparse file is malformed',
    ],
    ['a time that is none', { mtime: 'noon' }, 'its time is malformed'],
  ])('%s', async (_, pax, message) => {
    const archive = await makeArchive({ ...file('a', '12345'), pax });
    expect(() => readMembers(archive)).toThrow(message);
  });

  test('a pax header that is malformed, twice or global is refused', async () => {
    const archive = await makeArchive({ ...file('a', '12345'), pax: { comment: 'c' } });
    expect(readMembers(archive)).toHaveLength(1);
    const broken = Buffer.from(archive);
    broken.write('99', 512, 'latin1');
    expect(() => readMembers(broken)).toThrow('a pax header is malformed');
    expect(() => readMembers(Buffer.concat([archive.subarray(0, 1024), archive]))).toThrow('two pax headers');
    const global = fixChecksum(Buffer.from(archive).fill('g', 156, 157), 0);
    expect(() => readMembers(global)).toThrow('global pax header');
    const comment = '20 comment=from git\n';
    global.fill(0, 512, 1024).write(comment, 512, 'latin1');
    global.write(`${comment.length.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
    expect(readMembers(fixChecksum(global, 0)).map(({ entry }) => entry.name)).toEqual(['PaxHeader']);
  });
});

/** One file, as plain bytes, for tests that change single fields. */
function makeArchiveOfOne(): Buffer {
  const header = Buffer.alloc(512);
  header.write('name', 0);
  header.write('0000644\0', 100);
  header.write('00000000005\0', 124);
  header.write('ustar\x0000', 257);
  header.write('0', 156);
  return Buffer.concat([fixChecksum(header, 0), Buffer.from('12345'.padEnd(512, '\0')), Buffer.alloc(1024)]);
}
