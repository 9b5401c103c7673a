import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchCase } from '../case.ts';
import { makeTree } from '../data/tree.ts';
import { filePolicy } from '../policy.ts';
import { roundRobin, wallRatio } from '../round-robin.ts';

const BKP = 'bkp apply';
const TAR = 'tar, zstd -3 -T2';
const RESTIC = 'restic, new repository';

export const filesTree: BenchCase = {
  name: 'files-20k',
  title: 'first snapshot of a tree of 20,004 files, 510 MB, counted, hashed and synced to disk',
  tools: { restic: 'restic', zstd: 'zstd', tar: 'tar' },
  async run(lab) {
    const cwd = lab.emptyFolder('files-20k');
    const tree = makeTree(join(cwd, 'tree'));
    filePolicy(cwd, tree);
    const remove = (...names: readonly string[]): void => {
      for (const name of names) rmSync(join(cwd, name), { recursive: true, force: true });
    };
    const restic = 'restic -q init -r restic && restic -q --no-cache -r restic backup tree';
    const results = await roundRobin(
      [
        {
          name: TAR,
          command: { argv: ['sh', '-c', 'tar -c tree | zstd -q -3 -T2 > tree.tar.zst'], cwd },
          after: () => remove('tree.tar.zst'),
        },
        {
          name: BKP,
          command: lab.bkp(['apply', '--yes', '--init-repositories'], { cwd }),
          after: () => remove('repository', 'cache'),
        },
        {
          name: RESTIC,
          command: { argv: ['sh', '-c', restic], cwd, env: { RESTIC_PASSWORD: 'bench' } },
          after: () => remove('restic'),
        },
      ],
      lab.runs,
    );
    remove('tree');
    return { sides: results, verdicts: [wallRatio(results, BKP, TAR, 1.3), wallRatio(results, BKP, RESTIC, 0.5)] };
  },
};
