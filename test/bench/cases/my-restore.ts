import { execFileSync } from 'node:child_process';
import type { BenchCase } from '../case.ts';
import { startMysqlBenchServer } from '../data/mysql.ts';
import { writePolicy } from '../policy.ts';
import { roundRobin, wallRatio } from '../round-robin.ts';
import { DUMP, mysqlShellSide } from './my-backup.ts';

const BKP = 'bkp restore';
const PIPE = 'zstd -dc, mariadb';
const COUNTED = 'zstd -dc, mariadb; counts';

export const myRestore: BenchCase = {
  name: 'my-restore',
  title: 'a snapshot of a MariaDB database of about 0.5 GB of SQL verified, restored as a new database and counted',
  tools: { zstd: 'zstd', 'mariadb-dump': 'mariadb-client' },
  async run(lab) {
    const server = await startMysqlBenchServer();
    try {
      const cwd = lab.emptyFolder('bkp-restore');
      writePolicy(cwd, server.target);
      const { argv, env } = lab.bkp(['apply', '--yes', '--init-repositories'], { cwd });
      execFileSync(argv[0] ?? '', argv.slice(1), { cwd, env: { ...process.env, ...env }, stdio: 'ignore' });
      const after = (): void => void server.sql('DROP DATABASE copy');
      const client = `mariadb ${server.options}`;
      const fill = `${client} -e 'CREATE DATABASE copy' && zstd -q -dc snapshot | ${client} copy`;
      const count = `${client} copy -e 'SELECT COUNT(*) FROM events; SELECT COUNT(*) FROM counters'`;
      const shell = (name: string, script: string) => {
        const side = mysqlShellSide(lab, name, script);
        const options = { cwd: side.command.cwd ?? '' };
        execFileSync('sh', ['-c', `mariadb-dump ${server.options} ${DUMP} bench | zstd -q -3 -T2 > snapshot`], options);
        return { ...side, after };
      };
      const results = await roundRobin(
        [
          {
            name: BKP,
            command: lab.bkp(['restore', 'main@latest', '--into', 'database=copy', '--yes'], { cwd }),
            after,
          },
          shell(PIPE, fill),
          shell(COUNTED, `${fill} && ${count}`),
        ],
        lab.runs,
      );
      return {
        sides: results,
        verdicts: [wallRatio(results, BKP, PIPE, 1.1), wallRatio(results, BKP, COUNTED, null)],
      };
    } finally {
      await server.stop();
    }
  },
};
