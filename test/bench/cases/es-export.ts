import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ask } from '../../engines/elasticsearch/ask.ts';
import type { BenchCase } from '../case.ts';
import { INDEX, installElasticdump, startBenchSearch } from '../data/search.ts';
import { memoryRatio, nodeMemory } from '../flat-verdicts.ts';
import { writePolicy } from '../policy.ts';
import { roundRobin, wallRatio } from '../round-robin.ts';

const BKP = 'bkp apply';
const DUMP = 'elasticdump --limit=2000';
const NATIVE = 'snapshot API, new repository';

export const esExport: BenchCase = {
  name: 'es-export',
  title:
    '200,000 documents of about 1 KB out of OpenSearch: compressed, counted, hashed; elasticdump writes them as they come',
  tools: { curl: 'curl', npm: 'npm' },
  async run(lab) {
    const elasticdump = installElasticdump(lab);
    const server = await startBenchSearch();
    const cwd = lab.emptyFolder('es-export');
    try {
      writePolicy(cwd, server.target);
      const remove = (...names: readonly string[]): void => {
        for (const name of names) rmSync(join(cwd, name), { recursive: true, force: true });
      };
      const dump = [`--input=${server.url}/${INDEX}`, `--output=${join(cwd, 'dump')}`, '--type=data', '--limit=2000'];
      const native = `${server.url}/_snapshot/bench/one?wait_for_completion=true`;
      const results = await roundRobin(
        [
          {
            name: BKP,
            command: lab.bkp(['apply', '--yes', '--init-repositories'], { cwd }),
            after: () => remove('repository', 'cache'),
          },
          { name: DUMP, command: { argv: [elasticdump, ...dump], cwd }, after: () => remove('dump') },
          {
            name: NATIVE,
            command: { argv: ['curl', '-fsS', '-X', 'PUT', native], cwd },
            after: async () => void (await ask(server.url, 'DELETE', '_snapshot/bench/one')),
          },
        ],
        lab.runs,
      );
      return {
        sides: results,
        verdicts: [
          wallRatio(results, BKP, DUMP, 0.8),
          memoryRatio(results, BKP, DUMP, 0.6),
          nodeMemory(results, BKP),
          wallRatio(results, BKP, NATIVE, null),
        ],
      };
    } finally {
      await server.stop();
      rmSync(cwd, { recursive: true, force: true });
    }
  },
};
