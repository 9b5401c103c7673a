import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchCase } from '../case.ts';
import { type MysqlBenchServer, startMysqlBenchServer } from '../data/mysql.ts';
import type { Lab } from '../lab.ts';
import { writePolicy } from '../policy.ts';
import { cpuRatio, roundRobin, type Side, wallRatio } from '../round-robin.ts';

const PIPE = 'mariadb-dump, zstd -3 -T2';
const FAST = 'bkp apply, checks: fast';
const FULL = 'bkp apply';
const BORG = 'mariadb-dump, borg create (as borgmatic)';
const MYDUMPER = 'mydumper -t2';
const BARE = 'mydumper -t2 without gzip, tar, zstd -3 -T2';
const FAST_BY = 'bkp apply, mydumper, checks: fast';
const FULL_BY = 'bkp apply, mydumper';
const BY = { method: 'mydumper', jobs: 2 } as const;

/** What people type, with routines, triggers and events as bkp has them. */
export const DUMP =
  '--single-transaction --quick --routines --triggers --events --hex-blob --default-character-set=utf8mb4';

function applySide(
  lab: Lab,
  { target }: MysqlBenchServer,
  name: string,
  changes: Readonly<Record<string, unknown>>,
): Side {
  const cwd = lab.emptyFolder(name.replaceAll(/\W+/g, '-'));
  writePolicy(cwd, { ...target, ...changes });
  return {
    name,
    command: lab.bkp(['apply', '--yes', '--init-repositories'], { cwd }),
    after: () => ['repository', 'cache'].forEach((place) => rmSync(join(cwd, place), { recursive: true, force: true })),
  };
}

/** A line of shell in a folder of its own, whose `dump` goes afterwards. */
export function mysqlShellSide(lab: Lab, name: string, script: string): Side {
  const cwd = lab.emptyFolder(name.replaceAll(/\W+/g, '-'));
  return {
    name,
    command: { argv: ['sh', '-c', script], cwd, env: { BORG_BASE_DIR: cwd, PATH: process.env['PATH'] ?? '' } },
    after: () => rmSync(join(cwd, 'dump'), { recursive: true, force: true }),
  };
}

export const myBackup: BenchCase = {
  name: 'my-backup',
  title: 'dump of a MariaDB database of about 0.5 GB of SQL into a directory, hashed; by default counted as well',
  tools: { zstd: 'zstd', borg: 'borgbackup', mydumper: 'mydumper', 'mariadb-dump': 'mariadb-client' },
  async run(lab) {
    const server = await startMysqlBenchServer();
    const dump = `mariadb-dump ${server.options} ${DUMP} bench`;
    const bare = `mkdir dump && mydumper ${server.options} -B bench -t 2 -G -E -R -o dump/raw`;
    try {
      const results = await roundRobin(
        [
          mysqlShellSide(lab, PIPE, `${dump} | zstd -q -3 -T2 > dump`),
          applySide(lab, server, FAST, { checks: 'fast' }),
          applySide(lab, server, FULL, { checks: 'full' }),
          mysqlShellSide(lab, BORG, `borg init -e none dump && ${dump} | borg create -C zstd,3 dump::one -`),
          mysqlShellSide(lab, MYDUMPER, `mydumper ${server.options} -B bench -t 2 -G -E -R -c -o dump`),
          mysqlShellSide(lab, BARE, `${bare} && tar -cf - -C dump raw | zstd -q -3 -T2 > dump/tar && rm -r dump/raw`),
          applySide(lab, server, FAST_BY, { ...BY, checks: 'fast' }),
          applySide(lab, server, FULL_BY, { ...BY, checks: 'full' }),
        ],
        lab.runs,
      );
      return {
        sides: results,
        verdicts: [
          wallRatio(results, FAST, PIPE, 1.15),
          cpuRatio(results, FAST, PIPE, 1.25),
          wallRatio(results, FULL, PIPE, null),
          wallRatio(results, FULL, BORG, null),
          wallRatio(results, FULL, MYDUMPER, null),
          wallRatio(results, FAST_BY, BARE, 1.15),
          wallRatio(results, FULL_BY, BARE, null),
          wallRatio(results, FULL_BY, MYDUMPER, null),
        ],
      };
    } finally {
      await server.stop();
    }
  },
};
