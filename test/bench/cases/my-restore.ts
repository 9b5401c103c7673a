import { execFileSync } from 'node:child_process';
import type { BenchCase } from '../case.ts';
import { startMysqlBenchServer } from '../data/mysql.ts';
import { writePolicy } from '../policy.ts';
import { roundRobin, type Side, wallRatio } from '../round-robin.ts';
import { DUMP, mysqlShellSide } from './my-backup.ts';

const BKP = 'bkp restore';
const BKP_BY = 'bkp restore, mydumper';
const MYLOADER = 'mydumper, myloader -t2';
const PIPE = 'zstd -dc, mariadb';
const COUNTED = 'zstd -dc, mariadb; counts';

export const myRestore: BenchCase = {
  name: 'my-restore',
  title: 'a snapshot of a MariaDB database of about 0.5 GB of SQL verified, restored as a new database and counted',
  tools: { zstd: 'zstd', mydumper: 'mydumper', 'mariadb-dump': 'mariadb-client' },
  async run(lab) {
    const server = await startMysqlBenchServer();
    try {
      const after = (): void => void server.sql('DROP DATABASE copy');
      const bkp = (name: string, changes: Readonly<Record<string, unknown>> = {}): Side => {
        const cwd = lab.emptyFolder(name.replaceAll(/\W+/g, '-'));
        writePolicy(cwd, { ...server.target, ...changes });
        const { argv, env } = lab.bkp(['apply', '--yes', '--init-repositories'], { cwd });
        execFileSync(argv[0] ?? '', argv.slice(1), { cwd, env: { ...process.env, ...env }, stdio: 'ignore' });
        const command = lab.bkp(['restore', 'main@latest', '--into', 'database=copy', '--yes'], { cwd });
        return { name, command, after };
      };
      const client = `mariadb ${server.options}`;
      const fill = `${client} -e 'CREATE DATABASE copy' && zstd -q -dc snapshot | ${client} copy`;
      const count = `${client} copy -e 'SELECT COUNT(*) FROM events; SELECT COUNT(*) FROM counters'`;
      const shell = (name: string, script: string): Side => {
        const side = mysqlShellSide(lab, name, script);
        const options = { cwd: side.command.cwd ?? '' };
        execFileSync('sh', ['-c', `mariadb-dump ${server.options} ${DUMP} bench | zstd -q -3 -T2 > snapshot`], options);
        return { ...side, after };
      };
      const loader = (): Side => {
        const side = mysqlShellSide(lab, MYLOADER, `myloader ${server.options} -B copy -t 2 -d raw`);
        const options = { cwd: side.command.cwd ?? '' };
        const dump = `mydumper ${server.options} -B bench -t 2 -F 64 -o raw`;
        execFileSync('sh', ['-c', dump], { ...options, stdio: 'ignore' });
        return { ...side, after };
      };
      const results = await roundRobin(
        [
          bkp(BKP),
          bkp(BKP_BY, { method: 'mydumper', jobs: 2 }),
          shell(PIPE, fill),
          shell(COUNTED, `${fill} && ${count}`),
          loader(),
        ],
        lab.runs,
      );
      return {
        sides: results,
        verdicts: [
          wallRatio(results, BKP, PIPE, 1.1),
          wallRatio(results, BKP, COUNTED, null),
          wallRatio(results, BKP_BY, COUNTED, null),
          wallRatio(results, BKP_BY, MYLOADER, null),
        ],
      };
    } finally {
      await server.stop();
    }
  },
};
