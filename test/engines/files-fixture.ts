import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import {
  chmod,
  link,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import type { TargetOf } from '../../src/engines/engine.ts';
import { files } from '../../src/engines/files/files.ts';
import { sampleBytes } from '../streams/samples.ts';
import type { EngineFixture } from './fixture.ts';

export const filesFixture: EngineFixture<'files'> = {
  name: 'files',
  engine: files,
  isPersistent: true,
  producer: { tool: 'tar', word: '--create' },
  consumer: { tool: 'tar', word: '--extract' },
  query: null,

  async make(folder, content) {
    const root = join(folder, 'tree');
    await mkdir(root);
    if (content !== 'empty') {
      await mkdir(join(root, "sub 'folder'", 'empty'), { recursive: true });
      await writeFile(join(root, 'taken.txt'), 'taken');
      await writeFile(join(root, "sub 'folder'", 'ünïcode\nname'), sampleBytes(5000), { mode: 0o640 });
      await writeFile(join(root, `${'long-'.repeat(40)}name`), sampleBytes(10));
      await symlink('taken.txt', join(root, 'to-taken'));
      await symlink('/nonexistent/outside', join(root, 'dangling'));
      await link(join(root, 'taken.txt'), join(root, 'hard'));
    }
    if (content === 'large') {
      for (let at = 0; at < 5; at += 1) await writeFile(join(root, `large-${at}`), noise(at));
    }
    await setTimes(root);
    return { type: 'files', paths: [root] };
  },

  elsewhere: (target, folder) => ({ ...target, root: folder }),

  async digest(target) {
    const root = placeOf(target);
    if (!existsSync(root)) return 'absent';
    const hash = createHash('sha256');
    for (const name of (await readdir(root, { recursive: true })).toSorted()) {
      const path = join(root, name);
      const stats = await lstat(path, { bigint: true });
      hash.update(`${name}\0${stats.mode} ${stats.uid} ${stats.gid} ${stats.isDirectory() ? 0 : stats.mtimeNs}\0`);
      if (stats.isSymbolicLink()) hash.update(await readlink(path));
      else if (stats.isFile()) hash.update(`${stats.nlink}`).update(await readFile(path));
    }
    return hash.digest('hex');
  },

  async alter(target) {
    const root = placeOf(target);
    await rm(join(root, 'taken.txt'), { force: true });
    await writeFile(join(root, 'added.txt'), 'added');
  },

  async partsOf(target) {
    const root = placeOf(target);
    return { taken: existsSync(join(root, 'taken.txt')), added: existsSync(join(root, 'added.txt')) };
  },

  destroy: (target) => rm(placeOf(target), { recursive: true }),
  forbid: (target) => chmod(join(placeOf(target), 'taken.txt'), 0),
  recordBoundary: (raw) => Math.floor(raw.length / 2 / 512) * 512,
};

const placeOf = ({ root, paths: [path = ''] }: TargetOf<'files'>): string =>
  root === undefined ? path : join(root, path);

function noise(seed: number): Buffer {
  let key = createHash('sha256').update(String(seed)).digest();
  return Buffer.concat(Array.from({ length: 62_500 }, () => (key = createHash('sha256').update(key).digest())));
}

async function setTimes(root: string): Promise<void> {
  for (const name of await readdir(root, { recursive: true })) {
    const path = join(root, name);
    if (!(await lstat(path)).isSymbolicLink()) await utimes(path, 1_700_000_000.123, 1_700_000_000.456);
  }
}
