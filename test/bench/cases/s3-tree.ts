import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchCase } from '../case.ts';
import { putObjects, TREE } from '../data/objects.ts';
import { rcloneEnvironment } from '../data/rclone.ts';
import { startBenchStore } from '../data/store.ts';
import { nodeMemory } from '../flat-verdicts.ts';
import { writePolicyInto } from '../policy.ts';
import { roundRobin, wallRatio } from '../round-robin.ts';

const BKP = 'bkp apply';
const RCLONE = 'rclone copy --transfers=16';
const RESTIC = 'the same, then restic backup';

export const s3Tree: BenchCase = {
  name: 's3-tree',
  title:
    '10,000 objects of 16 KB and 4 of 50 MB out of a bucket: packed, compressed, hashed; rclone stores them plainly',
  tools: { rclone: 'rclone', restic: 'restic' },
  async run(lab) {
    const store = await startBenchStore();
    const cwd = lab.emptyFolder('s3-tree');
    try {
      await putObjects(store, 'tree', TREE);
      writePolicyInto(cwd, { ...store.repository('tree') }, { type: 'directory', path: 'repository' });
      const remove = (...names: readonly string[]): void => {
        for (const name of names) rmSync(join(cwd, name), { recursive: true, force: true });
      };
      const copy = `rclone copy --transfers=16 :s3:${store.bucket}/tree out`;
      const env = {
        ...rcloneEnvironment(store, cwd),
        RESTIC_PASSWORD: 'bench',
        RESTIC_REPOSITORY: join(cwd, 'restic'),
      };
      const results = await roundRobin(
        [
          {
            name: BKP,
            command: lab.bkp(['apply', '--yes', '--init-repositories'], { cwd }),
            after: () => remove('repository', 'cache'),
          },
          { name: RCLONE, command: { argv: ['sh', '-c', copy], cwd, env }, after: () => remove('out') },
          {
            name: RESTIC,
            command: { argv: ['sh', '-c', `${copy} && restic -q init && restic -q --no-cache backup out`], cwd, env },
            after: () => remove('out', 'restic'),
          },
        ],
        lab.runs,
      );
      return {
        sides: results,
        verdicts: [wallRatio(results, BKP, RCLONE, 1), wallRatio(results, BKP, RESTIC, 1), nodeMemory(results, BKP)],
      };
    } finally {
      await store.stop();
      rmSync(cwd, { recursive: true, force: true });
    }
  },
};
