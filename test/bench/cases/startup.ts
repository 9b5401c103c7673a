import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchCase } from '../case.ts';
import { filePolicy } from '../policy.ts';
import { roundRobin, wallRatio } from '../round-robin.ts';

/** A short process needs more runs for the same certainty. */
const RUNS_FACTOR = 5;

export const startup: BenchCase = {
  name: 'startup',
  title: '`bkp --version` and a `bkp plan` with nothing to do, beside an empty Node and `borgmatic --version`',
  tools: { borgmatic: 'borgmatic' },
  async run(lab) {
    const cwd = lab.emptyFolder('startup');
    writeFileSync(join(cwd, 'file'), 'content');
    filePolicy(cwd, join(cwd, 'file'));
    const applied = lab.bkp(['apply', '--yes', '--init-repositories'], { cwd });
    execFileSync(applied.argv[0] ?? '', applied.argv.slice(1), { cwd, env: { ...process.env, ...applied.env } });
    const results = await roundRobin(
      [
        { name: 'node -e 0', command: { argv: [process.execPath, '-e', '0'] } },
        { name: 'bkp --version', command: lab.bkp(['--version'], { cwd }) },
        { name: 'bkp plan', command: lab.bkp(['plan'], { cwd }) },
        { name: 'borgmatic --version', command: { argv: ['borgmatic', '--version'] } },
      ],
      lab.runs * RUNS_FACTOR,
    );
    return {
      sides: results,
      verdicts: [
        wallRatio(results, 'bkp --version', 'node -e 0', 1.5),
        wallRatio(results, 'bkp plan', 'node -e 0', 2.5),
        wallRatio(results, 'bkp plan', 'borgmatic --version', 0.4),
      ],
    };
  },
};
