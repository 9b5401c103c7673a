import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchCase, SideResult, Verdict } from '../case.ts';
import { putObjects } from '../data/objects.ts';
import { startBenchStore } from '../data/store.ts';
import { flatVerdicts } from '../flat-verdicts.ts';
import { measure, type Sample } from '../measure.ts';
import { writePolicyInto } from '../policy.ts';

const COUNTS = [10_000, 100_000] as const;
const CAPTURE = 'bkp apply';
const RESTORE = 'bkp restore --mode replace';

export const s3Many: BenchCase = {
  name: 's3-many',
  title:
    'memory of Node while 10,000 and 100,000 objects of 1 KB go out of a bucket, and back over those in another place',
  tools: {},
  async run(lab) {
    const cwd = lab.emptyFolder('s3-many');
    const store = await startBenchStore();
    const sides: SideResult[] = [];
    try {
      for (const count of COUNTS) {
        await putObjects(store, 'many', { small: count, meanBytes: 1_000, large: 0, largeBytes: 0 });
        writePolicyInto(cwd, { ...store.repository('many') }, { type: 'directory', path: 'repository' });
        const run = async (name: string, args: readonly string[]): Promise<void> => {
          const samples: Sample[] = [await measure(lab.bkp(args, { cwd }))];
          sides.push({ name: `${name}, ${count.toLocaleString('en')}`, samples });
        };
        await run(CAPTURE, ['apply', '--yes', '--init-repositories']);
        await run(RESTORE, [
          'restore',
          'main@latest',
          '--into',
          'prefix=back',
          '--mode',
          'replace',
          '--yes',
          '--no-safety',
        ]);
        for (const name of ['repository', 'cache']) rmSync(join(cwd, name), { recursive: true, force: true });
      }
      return { sides, verdicts: [CAPTURE, RESTORE].flatMap((name) => growthOf(sides, name)) };
    } finally {
      await store.stop();
      rmSync(cwd, { recursive: true, force: true });
    }
  },
};

const growthOf = (sides: readonly SideResult[], name: string): readonly Verdict[] =>
  flatVerdicts(sides.filter((side) => side.name.startsWith(name))).map((verdict) => ({
    ...verdict,
    label: `${name}, ${verdict.label}`,
  }));
