import {
  chmod,
  link,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { type Store, textOf } from './store.ts';

/** A tree of files in which every write makes one more, by its temporary name first. */
export function filesStore(folder: string): Store {
  const root = join(folder, 'tree');
  const drop = join(root, 'written');
  return {
    name: 'files',
    target: { type: 'files', paths: ['tree'], exclude: ['**/*.part'] },
    env: {},
    isOneMoment: false,

    async seed() {
      await mkdir(join(root, 'deep/er'), { recursive: true });
      await mkdir(drop);
      await writeFile(join(root, 'plain'), 'text\n');
      await writeFile(join(root, 'deep/er/ünï¢öde\nname'), Buffer.from([0, 255, 10, 39]));
      await writeFile(join(root, 'run'), '#!/bin/sh\n');
      await chmod(join(root, 'run'), 0o4751);
      await symlink('../nowhere', join(root, 'deep/dangling'));
      await link(join(root, 'plain'), join(root, 'deep/twin'));
      await utimes(join(root, 'plain'), 981173106, 981173106.25);
    },
    async write(n) {
      await writeFile(join(drop, `${n}.part`), textOf(n));
      await rename(join(drop, `${n}.part`), join(drop, `${n}`));
    },
    async read() {
      const names = (await readdir(root, { recursive: true })).toSorted();
      const seeded = await Promise.all(
        names.filter((name) => !name.startsWith('written')).map((name) => describe(root, name)),
      );
      const written = names.flatMap((name) => /^written\/(\d+)$/.exec(name)?.[1] ?? []);
      return {
        seeded,
        written: new Map(
          await Promise.all(written.map(async (n) => [Number(n), await readFile(join(drop, n), 'utf8')] as const)),
        ),
      };
    },
    lose: () => rm(root, { recursive: true }),
    close: async () => undefined,
  };
}

async function describe(root: string, name: string): Promise<string> {
  const path = join(root, name);
  const { mode, nlink, mtimeMs } = await lstat(path);
  const type = mode & 0o170000;
  const content =
    type === 0o100000
      ? `${nlink} ${mtimeMs} ${await readFile(path, 'hex')}`
      : type === 0o120000
        ? await readlink(path)
        : '';
  return `${JSON.stringify(name)} ${mode.toString(8)} ${content}`;
}
