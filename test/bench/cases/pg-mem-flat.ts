import type { BenchCase, SideResult } from '../case.ts';
import { fill, startEmptyServer } from '../data/postgres.ts';
import { flatVerdicts } from '../flat-verdicts.ts';
import { measure, type Sample } from '../measure.ts';
import { applySide } from './pg-sides.ts';

const GIGABYTES = [0.1, 1, 8] as const;

/** Memory does not vary as time does: two runs show whether it is flat. */
const MOST_RUNS = 2;

export const pgMemoryFlat: BenchCase = {
  name: 'pg-mem-flat',
  title: 'memory of Node while `bkp apply` captures a PostgreSQL database of 0.1, 1 and 8 GB, counted twice and hashed',
  tools: { zstd: 'zstd' },
  async run(lab) {
    const server = await startEmptyServer();
    try {
      const sides: SideResult[] = [];
      for (const size of GIGABYTES) {
        fill(server, size);
        const side = applySide(lab, server, `bkp apply, PostgreSQL of ${size} GB`, { checks: 'full' });
        const samples: Sample[] = [];
        for (let run = 0; run < Math.min(lab.runs, MOST_RUNS); run += 1) {
          samples.push(await measure(side.command));
          await side.after?.();
        }
        sides.push({ name: side.name, samples });
      }
      return { sides, verdicts: flatVerdicts(sides) };
    } finally {
      await server.stop();
    }
  },
};
