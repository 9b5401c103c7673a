import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchCase } from '../case.ts';
import { INDEX, installElasticdump, startBenchSearch } from '../data/search.ts';
import { memoryRatio, nodeMemory } from '../flat-verdicts.ts';
import { writePolicy } from '../policy.ts';
import { roundRobin, wallRatio } from '../round-robin.ts';

const BKP = 'bkp restore';
const DUMP = 'elasticdump --limit=2000';
const COPY = 'copy';

export const esImport: BenchCase = {
  name: 'es-import',
  title:
    'the same documents verified and restored as a new index, counted; elasticdump fills an index that was made for it',
  tools: { npm: 'npm' },
  async run(lab) {
    const elasticdump = installElasticdump(lab);
    const server = await startBenchSearch();
    const cwd = lab.emptyFolder('es-import');
    const run = (argv: readonly string[], env: Readonly<Record<string, string>> = {}): void =>
      void execFileSync(argv[0] ?? '', argv.slice(1), { cwd, env: { ...process.env, ...env }, stdio: 'ignore' });
    try {
      writePolicy(cwd, server.target);
      const apply = lab.bkp(['apply', '--yes', '--init-repositories'], { cwd });
      run(apply.argv, apply.env);
      const file = join(cwd, 'dump');
      run([elasticdump, `--input=${server.url}/${INDEX}`, `--output=${file}`, '--type=data', '--limit=2000']);
      const after = async (): Promise<void> => {
        await server.assertWhole(COPY);
        await server.remove(COPY);
      };
      const results = await roundRobin(
        [
          {
            name: BKP,
            command: lab.bkp(['restore', 'main@latest', '--into', `rename=from=${INDEX},to=${COPY}`, '--yes'], { cwd }),
            after,
          },
          {
            name: DUMP,
            command: {
              argv: [elasticdump, `--input=${file}`, `--output=${server.url}/${COPY}`, '--type=data', '--limit=2000'],
              cwd,
            },
            before: () => server.make(COPY),
            after,
          },
        ],
        lab.runs,
      );
      return {
        sides: results,
        verdicts: [wallRatio(results, BKP, DUMP, 0.5), memoryRatio(results, BKP, DUMP, 0.6), nodeMemory(results, BKP)],
      };
    } finally {
      await server.stop();
      rmSync(cwd, { recursive: true, force: true });
    }
  },
};
