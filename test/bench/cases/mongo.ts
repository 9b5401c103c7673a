import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchCase } from '../case.ts';
import { DATABASE, startMongoBench } from '../data/mongodb.ts';
import { writePolicy } from '../policy.ts';
import { cpuRatio, roundRobin, type Side, wallRatio } from '../round-robin.ts';

const PIPE = 'mongodump, zstd -3 -T2';
const APPLY = 'bkp apply';
const FILL = 'zstd -dc, mongorestore --drop';
const RESTORE = 'bkp restore, replace';

export const mongo: BenchCase = {
  name: 'mongo',
  title: 'dump of 400,000 documents of MongoDB into a directory, read and hashed; and back, compared before it is used',
  tools: { zstd: 'zstd' },
  async run(lab) {
    const server = await startMongoBench();
    try {
      const cwd = lab.emptyFolder('mongo');
      writePolicy(cwd, server.target);
      const path = `${server.tools}:${process.env['PATH'] ?? ''}`;
      const shell = (name: string, script: string): Side => ({
        name,
        command: { argv: ['sh', '-c', script], cwd, env: { PATH: path } },
      });
      const forget = (): void =>
        ['repository', 'cache'].forEach((place) => rmSync(join(cwd, place), { recursive: true, force: true }));
      const config = `--config=${server.config}`;
      const capture: readonly Side[] = [
        shell(PIPE, `mongodump --quiet ${config} --archive --db=${DATABASE} | zstd -q -f -3 -T2 -o dump`),
        { name: APPLY, command: lab.bkp(['apply', '--yes', '--init-repositories'], { cwd }), before: forget },
      ];
      const captured = await roundRobin(capture, lab.runs);
      const restored = await roundRobin(
        [
          shell(FILL, `zstd -q -dc dump | mongorestore --quiet ${config} --archive --drop`),
          {
            name: RESTORE,
            command: lab.bkp(['restore', 'main@latest', '--mode', 'replace', '--yes'], { cwd }),
            after: server.dropOld,
          },
        ],
        lab.runs,
      );
      return {
        sides: [...captured, ...restored],
        verdicts: [
          wallRatio(captured, APPLY, PIPE, 1.15),
          cpuRatio(captured, APPLY, PIPE, 1.5),
          wallRatio(restored, RESTORE, FILL, 1.1),
        ],
      };
    } finally {
      await server.stop();
    }
  },
};
