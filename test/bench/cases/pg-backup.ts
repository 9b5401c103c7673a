import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchCase } from '../case.ts';
import { startBenchServer } from '../data/postgres.ts';
import { writePolicy } from '../policy.ts';
import { cpuRatio, roundRobin, wallRatio } from '../round-robin.ts';

const PIPE = 'pg_dump -Fc -Z0, zstd -3 -T2';
const GZIP = 'pg_dump -Fc';
const FAST = 'bkp apply, checks: fast';
const FULL = 'bkp apply';

export const pgBackup: BenchCase = {
  name: 'pg-backup',
  title: 'dump of a PostgreSQL database of about 1 GB into a directory, hashed; by default counted twice as well',
  tools: { zstd: 'zstd' },
  async run(lab) {
    const cwd = lab.emptyFolder('pg-backup');
    const server = await startBenchServer();
    try {
      const { host = '', port = '', user = '', password = '', bin = '' } = server.connection;
      const target = { type: 'postgres', host, port: Number(port), user, password, database: 'bench', tools: bin };
      const sideOf = (name: string, checks: 'fast' | 'full') => {
        const folder = lab.emptyFolder(`pg-backup-${checks}`);
        writePolicy(folder, { ...target, checks });
        const remove = (): void =>
          ['repository', 'cache'].forEach((place) => rmSync(join(folder, place), { recursive: true, force: true }));
        const command = lab.bkp(['apply', '--yes', '--init-repositories'], { cwd: folder });
        return { name, command, after: remove };
      };
      const shell = (name: string, script: string) => ({
        name,
        command: { argv: ['sh', '-c', script], cwd, env: server.env },
        after: () => rmSync(join(cwd, 'dump'), { force: true }),
      });
      const results = await roundRobin(
        [
          shell(PIPE, `${bin}/pg_dump -w -Fc -Z0 | zstd -q -3 -T2 > dump`),
          sideOf(FAST, 'fast'),
          sideOf(FULL, 'full'),
          shell(GZIP, `${bin}/pg_dump -w -Fc -f dump`),
        ],
        lab.runs,
      );
      return {
        sides: results,
        verdicts: [
          wallRatio(results, FAST, PIPE, 1.2),
          cpuRatio(results, FAST, PIPE, 1.25),
          wallRatio(results, FULL, PIPE, 1.6),
          wallRatio(results, FAST, GZIP, 0.35),
        ],
      };
    } finally {
      await server.stop();
    }
  },
};
