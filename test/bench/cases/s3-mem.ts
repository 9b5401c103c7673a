import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchCase, SideResult } from '../case.ts';
import { makeRandomFile } from '../data/large-file.ts';
import { startBenchStore } from '../data/store.ts';
import { nodeMemory } from '../flat-verdicts.ts';
import { minio } from '../../services/minio.ts';
import { measure, type Sample } from '../measure.ts';
import { writePolicyInto } from '../policy.ts';

// versitygw keeps what it knows of parts in attributes of a file, where ext4 has room for few hundred.
const GIGABYTES = [1, 8] as const;

export const s3Memory: BenchCase = {
  name: 's3-mem',
  title: 'memory of Node while a file of 1 and of 8 GB goes into an S3 store and comes back',
  tools: { tar: 'tar' },
  async run(lab) {
    const cwd = lab.emptyFolder('s3-mem');
    const sides: SideResult[] = [];
    for (const size of GIGABYTES) {
      const store = await startBenchStore(minio);
      try {
        const source = makeRandomFile(join(cwd, 'source'), size * 1e9);
        writePolicyInto(cwd, { type: 'files', paths: [source], compression: 'none' }, store.repository('bkp'));
        const run = async (name: string, args: readonly string[]): Promise<void> => {
          const samples: Sample[] = [await measure(lab.bkp(args, { cwd }))];
          sides.push({ name: `${name}, ${size} GB`, samples });
        };
        await run('bkp apply', ['apply', '--yes', '--init-repositories']);
        rmSync(source);
        await run('bkp restore', ['restore', 'main@latest', '--into', 'root=out', '--yes']);
      } finally {
        await store.stop();
        for (const name of ['source', 'out', 'cache']) rmSync(join(cwd, name), { recursive: true, force: true });
      }
    }
    return { sides, verdicts: sides.map(({ name }) => nodeMemory(sides, name)) };
  },
};
