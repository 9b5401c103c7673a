import { execFileSync } from 'node:child_process';
import type { BenchCase } from '../case.ts';
import { type BenchServer, startBenchServer } from '../data/postgres.ts';
import type { Lab } from '../lab.ts';
import { writePolicy } from '../policy.ts';
import { roundRobin, type Side, wallRatio } from '../round-robin.ts';
import { shellSide } from './pg-sides.ts';

const ONE = 'bkp restore';
const TWO = 'bkp restore, jobs: 2';
const PIPE = 'zstd -dc, pg_restore -1';
const PARALLEL = 'zstd -dc > file; pg_restore -j2';
/** What bkp does after every restore, so that the first query has statistics and the counts are known to be right. */
const PIPE_ANALYZED = 'zstd -dc, pg_restore -1; ANALYZE; counts';

/** bkp bringing the database back as a new one, which goes afterwards. */
function restoreSide(lab: Lab, server: BenchServer, name: string, jobs: number): Side {
  const cwd = lab.emptyFolder(name.replaceAll(/\W+/g, '-'));
  writePolicy(cwd, { ...server.target, jobs });
  const { argv, env } = lab.bkp(['apply', '--yes', '--init-repositories'], { cwd });
  execFileSync(argv[0] ?? '', argv.slice(1), { cwd, env: { ...process.env, ...env }, stdio: 'ignore' });
  return {
    name,
    command: lab.bkp(['restore', 'main@latest', '--into', 'database=copy', '--yes'], { cwd }),
    after: () => void server.sql('DROP DATABASE copy'),
  };
}

export const pgRestore: BenchCase = {
  name: 'pg-restore',
  title: 'a snapshot of a database of about 1 GB verified and restored as a new database, analyzed and counted',
  tools: { zstd: 'zstd' },
  async run(lab) {
    const server = await startBenchServer();
    try {
      const shell = (name: string, script: string): Side => {
        const side = shellSide(lab, server, name, script);
        const { cwd = '', env = {} } = side.command;
        execFileSync('sh', ['-c', 'pg_dump -w -Fc -Z0 | zstd -q -3 -T2 > snapshot'], {
          cwd,
          env: { ...process.env, ...env },
        });
        return { ...side, after: () => void server.sql('DROP DATABASE copy') };
      };
      const pipe = 'createdb -T template0 copy && zstd -q -dc snapshot | pg_restore -w -1 -d copy';
      const count =
        'for t in pgbench_accounts pgbench_branches pgbench_history pgbench_tellers events; do psql -qXd copy -c "SELECT count(*) FROM $t"; done';
      const results = await roundRobin(
        [
          restoreSide(lab, server, ONE, 1),
          shell(PIPE, pipe),
          shell(PIPE_ANALYZED, `${pipe} && psql -qXd copy -c ANALYZE && ${count}`),
          restoreSide(lab, server, TWO, 2),
          shell(
            PARALLEL,
            'createdb -T template0 copy && zstd -q -f -d snapshot -o dump && pg_restore -w -j2 -d copy dump; rm -f dump',
          ),
        ],
        lab.runs,
      );
      return {
        sides: results,
        verdicts: [
          wallRatio(results, ONE, PIPE, 1.1),
          wallRatio(results, TWO, PARALLEL, 1.15),
          wallRatio(results, ONE, PIPE_ANALYZED, null),
        ],
      };
    } finally {
      await server.stop();
    }
  },
};
