import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Context } from '../../../src/context.ts';
import { files } from '../../../src/engines/files/files.ts';
import { testContext } from '../../test-context.ts';
import { countArchive, file, folder, link, makeArchive, type Member, symlink } from './archives.ts';
import { artifactOf, restore } from './snapshots.ts';
import { listTree } from './tree-listing.ts';

const HOSTILE: Readonly<Record<string, readonly Member[]>> = {
  'a path that goes up': [folder('a'), file('a/../../escaped')],
  'a path that is only up': [file('..')],
  'an absolute path': [file('/escaped')],
  'an absolute folder': [folder('/tmp/escaped')],
  'a file below a symlink': [folder('a'), symlink('a/s', '/tmp'), file('a/s/escaped')],
  'a file below a symlink to a folder of the archive': [folder('a'), folder('a/d'), symlink('a/s', 'd'), file('a/s/x')],
  'a file through a folder below a symlink': [symlink('s', '/tmp'), file('s/deep/er/escaped')],
  'a symlink followed by a file of the same name': [symlink('s', '/tmp/escaped'), file('s', 'through')],
  'a file followed by a symlink of the same name': [file('s'), symlink('s', '/tmp')],
  'a folder that becomes a symlink': [folder('s'), symlink('s', '/tmp'), file('s/escaped')],
  'a folder without an entry that becomes a symlink': [file('s/x'), symlink('s', '/tmp')],
  'the same with a path of another form': [symlink('s', '/tmp'), file('./s//./escaped')],
  'a file below a file': [file('f'), file('f/x')],
  'a hard link that goes up': [file('f'), link('l', '../../etc/passwd')],
  'a hard link to an absolute path': [file('f'), link('l', '/etc/passwd')],
  'a hard link to what is not in the archive': [link('etc-copy', 'etc/passwd')],
  'a hard link to what comes later': [link('l', 'f'), file('f')],
  'a hard link to itself': [link('l', 'l')],
  'a hard link to a hard link': [file('f'), link('l', 'f'), link('m', 'l')],
  'a hard link to a folder': [folder('d'), link('l', 'd')],
  'a hard link through a symlink': [symlink('s', '/etc'), link('l', 's/passwd')],
  'a file below a hard link to a symlink': [symlink('s', '/tmp'), link('l', 's'), file('l/escaped')],
  'a file twice': [file('f', 'one'), file('f', 'two')],
  'a folder twice': [folder('d'), folder('d', { mode: 0o777 })],
  'a pax path that goes up': [{ ...file('harmless'), pax: { path: '../escaped' } }],
  'a sparse name that goes up': [
    {
      ...file('harmless', '0\n'.padEnd(512, '\0')),
      pax: {
        'GNU.sparse.major': '1',
        'GNU.sparse.minor': '0',
        'GNU.sparse.name': '../escaped',
        'GNU.sparse.realsize': '10',
      },
    },
  ],
  nothing: [],
};

async function refused(members: readonly Member[], context: Context, base: string): Promise<unknown> {
  const path = join(base, 'hostile.tar');
  writeFileSync(path, await makeArchive(...members));
  const root = join(base, 'room/root');
  mkdirSync(root, { recursive: true });
  const before = listTree(join(base, 'room'));
  let reason: unknown;
  for (const mode of ['new', 'replace', 'merge'] as const) {
    const request = { mode, artifact: artifactOf(path, context), destination: { paths: ['/a'], root } };
    reason = await restore(request, context).then(
      () => 'accepted',
      (error: unknown) => error,
    );
    expect(listTree(join(base, 'room'))).toEqual(before);
  }
  await expect(files.check([artifactOf(path, context)], context, {})).rejects.toBeInstanceOf(Error);
  return reason;
}

describe('a hostile archive is refused whole, before anything is written', () => {
  test.each(Object.entries(HOSTILE))('%s', async (_, members) => {
    const { context, folder: base } = await testContext();
    expect(await refused(members, context, base)).toMatchObject({ code: 'integrity' });
    const good = members.length === 0 ? [] : [folder('good'), file('good/first'), ...members];
    expect(await refused(good, context, base)).toMatchObject({ code: 'integrity' });
    expect(readdirSync(base).toSorted()).toEqual(
      ['hostile.tar', 'room', ...readdirSync(base).filter((name) => name.startsWith('bkp-'))].toSorted(),
    );
  });

  test('a device, for somebody who is not root', async () => {
    const { context, folder: base } = await testContext();
    const device: Member = { name: 'null', type: 'character-device', devmajor: 1, devminor: 3 };
    const archive = [folder('d'), device];
    const somebody: Context = { ...context, host: { ...context.host, uid: 1234 } };
    const path = join(base, 'device.tar');
    writeFileSync(path, await makeArchive(...archive));
    const room = join(base, 'room');
    mkdirSync(room);
    const request = {
      mode: 'new' as const,
      artifact: artifactOf(path, somebody),
      destination: { paths: ['/d'], root: join(room, 'root') },
    };
    await expect(restore(request, somebody)).rejects.toMatchObject({
      code: 'target',
      message: expect.stringContaining('"null": it is a device'),
    });
    expect(readdirSync(room)).toEqual([]);
    // What else is in the archive can be had.
    expect(await restore({ ...request, paths: ['d'] }, somebody)).toMatchObject({ restored: { entries: 1 } });
  });
});

describe('what is unusual but honest is accepted', () => {
  test.each<[string, readonly Member[]]>([
    ['links that point anywhere', [symlink('a', '/etc'), symlink('b', '../../..'), symlink('c', 'a/b/c')]],
    ['two dots inside a name', [file('..a'), file('b..'), folder('...'), file('.../x')]],
    ['a folder after what is in it', [file('d/x'), folder('d')]],
    ['files without their folders', [file('a/b/c'), file('a/b/d')]],
    ['a hard link to a symlink', [symlink('s', 'nowhere'), link('l', 's')]],
    ['dots and slashes', [folder('./'), folder('./d//'), file('./d/./x')]],
  ])('%s', async (_, members) => {
    const { context, folder: base } = await testContext();
    const path = join(base, 'honest.tar');
    const archive = await makeArchive(...members);
    writeFileSync(path, archive);
    const expected = (await countArchive(archive)).facts;
    const root = join(base, 'root');
    const outcome = await restore(
      { mode: 'new', artifact: artifactOf(path, context), destination: { paths: ['/x'], root } },
      context,
    );
    expect(outcome.facts).toEqual(expected);
    expect(await files.check([artifactOf(path, context)], context, {})).toEqual({ facts: expected });
  });
});
