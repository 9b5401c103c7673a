import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchCase } from '../case.ts';
import { changeObjects, putObjects, TREE } from '../data/objects.ts';
import { rcloneEnvironment } from '../data/rclone.ts';
import { startBenchStore } from '../data/store.ts';
import { nodeMemory } from '../flat-verdicts.ts';
import type { Command } from '../measure.ts';
import { writePolicyInto } from '../policy.ts';
import { roundRobin, wallRatio } from '../round-robin.ts';

/** One in so many changes before the second run. */
const CHANGED = 100;
const BKP = 'bkp apply';
const RCLONE = 'rclone sync';
const BKP_AGAIN = 'bkp backup, 1 % changed';
const RCLONE_AGAIN = 'rclone sync, 1 % changed';
const RCLONE_LINKS = 'cp -al, then rclone sync, 1 % changed';

export const s3Mirror: BenchCase = {
  name: 's3-mirror',
  title:
    '10,000 objects of 16 KB and 4 of 50 MB mirrored into a folder, hashed and synced to disk; then again with 1 % changed',
  tools: { rclone: 'rclone' },
  async run(lab) {
    const store = await startBenchStore();
    const cwd = lab.emptyFolder('s3-mirror');
    try {
      await putObjects(store, 'tree', TREE);
      // The peers know no tags.
      const source = { ...store.repository('tree'), method: 'mirror', tagChanges: false };
      writePolicyInto(cwd, source, { type: 'directory', path: 'repository', dedupe: 'hardlink' });
      const remove = (...names: readonly string[]): void => {
        for (const name of names) rmSync(join(cwd, name), { recursive: true, force: true });
      };
      const env = rcloneEnvironment(store, cwd);
      // Without the option it would ask for every object that it has.
      const sync = `rclone sync --transfers=16 --use-server-modtime :s3:${store.bucket}/tree`;
      const shell = (script: string): Command => ({ argv: ['sh', '-c', script], cwd, env });
      const results = await roundRobin(
        [
          {
            name: BKP,
            before: () => remove('repository', 'cache', 'out', 'next'),
            command: lab.bkp(['apply', '--yes', '--init-repositories'], { cwd }),
          },
          { name: RCLONE, command: shell(`${sync} out`) },
          {
            name: BKP_AGAIN,
            before: () => changeObjects(store, 'tree', TREE, CHANGED),
            command: lab.bkp(['backup', 'main'], { cwd }),
          },
          { name: RCLONE_LINKS, command: shell(`cp -al out next && ${sync} next`) },
          { name: RCLONE_AGAIN, command: shell(`${sync} out`) },
        ],
        lab.runs,
      );
      return {
        sides: results,
        verdicts: [
          wallRatio(results, BKP, RCLONE, 1),
          wallRatio(results, BKP_AGAIN, RCLONE_LINKS, 1),
          wallRatio(results, BKP_AGAIN, RCLONE_AGAIN, null),
          nodeMemory(results, BKP),
          nodeMemory(results, BKP_AGAIN),
        ],
      };
    } finally {
      await store.stop();
      rmSync(cwd, { recursive: true, force: true });
    }
  },
};
