import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchCase, SideResult } from '../case.ts';
import { makeTextFile } from '../data/large-file.ts';
import { flatVerdicts } from '../flat-verdicts.ts';
import { measure, type Sample } from '../measure.ts';
import { filePolicy } from '../policy.ts';

const GIGABYTES = [0.1, 1, 8] as const;

/** Memory does not vary as time does: two runs show whether it is flat. */
const MOST_RUNS = 2;

export const memoryFlat: BenchCase = {
  name: 'mem-flat',
  title: 'memory of Node while `bkp apply` captures one file of 0.1, 1 and 8 GB, counted and hashed',
  tools: { tar: 'tar', zstd: 'zstd' },
  async run(lab) {
    const cwd = lab.emptyFolder('mem-flat');
    const sides: SideResult[] = [];
    for (const size of GIGABYTES) {
      const source = makeTextFile(join(cwd, 'source'), size * 1e9);
      filePolicy(cwd, source);
      const samples: Sample[] = [];
      for (let run = 0; run < Math.min(lab.runs, MOST_RUNS); run += 1) {
        samples.push(await measure(lab.bkp(['apply', '--yes', '--init-repositories'], { cwd })));
        for (const name of ['repository', 'cache']) rmSync(join(cwd, name), { recursive: true, force: true });
      }
      sides.push({ name: `bkp apply, ${size} GB`, samples });
      rmSync(source);
    }
    return { sides, verdicts: flatVerdicts(sides) };
  },
};
