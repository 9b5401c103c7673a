import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDatabase, psql } from '../../services/postgres-psql.ts';
import { postgres15 } from '../../services/postgres.ts';
import { serviceFolder, type RunningService } from '../../services/service.ts';

/** A private server with one database of about a gigabyte, for the cases that compare dumps. */
export interface BenchServer {
  readonly connection: RunningService['connection'];
  /** What PostgreSQL's programs need to reach it. */
  readonly env: Readonly<Record<string, string>>;
  readonly stop: () => Promise<void>;
}

const DATABASE = 'bench';

/** Rows of events beside pgbench's own tables: text that compresses as logs do. */
const EVENTS = 1_500_000;

/** Starts a server and fills it: pgbench at scale 50 and a table of events. */
export async function startBenchServer(): Promise<BenchServer> {
  const workDir = mkdtempSync(join(tmpdir(), 'bkp-bench-postgres-'));
  chmodSync(workDir, 0o755);
  const folder = serviceFolder(postgres15);
  await postgres15.install(folder);
  const { connection, stop } = await postgres15.start(folder, workDir);
  const { host = '', port = '', user = '', password = '', bin = '' } = connection;
  const env = { PGHOST: host, PGPORT: port, PGUSER: user, PGPASSWORD: password, PGDATABASE: DATABASE };
  createDatabase(connection, DATABASE);
  execFileSync(join(bin, 'pgbench'), ['-i', '-q', '-s', '50'], { env: { ...process.env, ...env }, stdio: 'ignore' });
  psql(
    connection,
    DATABASE,
    `CREATE TABLE events (id bigserial PRIMARY KEY, at timestamptz, level text, payload jsonb);
     INSERT INTO events (at, level, payload)
       SELECT timestamptz '2026-01-01 00:00Z' + n * interval '1 s', (ARRAY['info', 'warn', 'error'])[1 + n % 3],
         jsonb_build_object('request', md5(n::text), 'user', n % 1000, 'path', '/api/items/' || n % 5000)
       FROM generate_series(1, ${EVENTS}) n;
     VACUUM ANALYZE;`,
  );
  return {
    connection,
    env,
    stop: async () => {
      await stop();
      rmSync(workDir, { recursive: true, force: true });
    },
  };
}
