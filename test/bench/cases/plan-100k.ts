import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchCase } from '../case.ts';
import { makePlanned } from '../data/plan-policy.ts';
import { assertNothingToDo } from '../nothing-to-do.ts';
import { measure } from '../measure.ts';
import { roundRobin, wallRatio, wallSeconds } from '../round-robin.ts';

const PROGRAMS = join(import.meta.dirname, '..', 'programs');

export const plan100k: BenchCase = {
  name: 'plan-100k',
  title: '`bkp plan` over 100,000 snapshots of 100 backups, beside raw readers of the same content',
  tools: {},
  async run(lab) {
    const cwd = lab.emptyFolder('plan-100k');
    makePlanned(cwd, 100, 1000);
    const columns = join(cwd, 'columns.db');
    const reader = (name: string, path: string): readonly string[] => [process.execPath, join(PROGRAMS, name), path];
    await measure({ argv: [...reader('make-columns.mjs', join(cwd, 'repository', 'manifests')), columns] });
    const forget = (): void => rmSync(join(cwd, 'cache'), { recursive: true, force: true });
    assertNothingToDo(lab.bkp(['plan', '--format', 'json'], { cwd }));
    const results = await roundRobin(
      [
        { name: 'sqlite columns', command: { argv: reader('read-columns.mjs', columns) } },
        { name: 'bkp plan, warm', command: lab.bkp(['plan'], { cwd }) },
        { name: 'read manifests', command: { argv: reader('read-files.mjs', join(cwd, 'repository', 'manifests')) } },
        { name: 'bkp plan, rebuild', command: lab.bkp(['plan'], { cwd }), before: forget },
      ],
      lab.runs,
    );
    rmSync(cwd, { recursive: true });
    return {
      sides: results,
      verdicts: [
        wallRatio(results, 'bkp plan, warm', 'sqlite columns', 2),
        wallSeconds(results, 'bkp plan, warm', 0.8),
        wallRatio(results, 'bkp plan, rebuild', 'read manifests', 2),
        wallSeconds(results, 'bkp plan, rebuild', 4),
      ],
    };
  },
};
