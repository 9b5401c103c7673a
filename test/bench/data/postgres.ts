import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDatabase, psql } from '../../services/postgres-psql.ts';
import { postgres15 } from '../../services/postgres.ts';
import { serviceFolder, type RunningService } from '../../services/service.ts';

/** A private server with one database, for the cases that compare dumps. */
export interface BenchServer {
  readonly connection: RunningService['connection'];
  /** Folder of PostgreSQL's programs. */
  readonly bin: string;
  /** What PostgreSQL's programs need to reach it. */
  readonly env: Readonly<Record<string, string>>;
  /** The same for a policy. */
  readonly target: Readonly<Record<string, unknown>>;
  readonly sql: (statements: string) => string;
  readonly stop: () => Promise<void>;
}

const DATABASE = 'bench';

/** Starts a server with one empty database. */
export async function startEmptyServer(): Promise<BenchServer> {
  const workDir = mkdtempSync(join(tmpdir(), 'bkp-bench-postgres-'));
  chmodSync(workDir, 0o755);
  const folder = serviceFolder(postgres15);
  await postgres15.install(folder);
  const { connection, stop } = await postgres15.start(folder, workDir);
  const { host = '', port = '', user = '', password = '', bin = '' } = connection;
  createDatabase(connection, DATABASE);
  return {
    connection,
    bin,
    env: { PGHOST: host, PGPORT: port, PGUSER: user, PGPASSWORD: password, PGDATABASE: DATABASE },
    target: { type: 'postgres', host, port: Number(port), user, password, database: DATABASE, tools: bin },
    sql: (statements) => psql(connection, DATABASE, statements),
    stop: async () => {
      await stop();
      rmSync(workDir, { recursive: true, force: true });
    },
  };
}

/** Rows of events beside pgbench's own tables: text that compresses as logs do. */
const EVENTS_PER_GIGABYTE = 1_500_000;
const SCALE_PER_GIGABYTE = 50;

/** Fills the database with about so much: pgbench's tables and one of events. What was there goes. */
export function fill({ bin, env, sql }: BenchServer, gigabytes: number): void {
  const scale = String(Math.round(SCALE_PER_GIGABYTE * gigabytes));
  execFileSync(join(bin, 'pgbench'), ['-i', '-q', '-s', scale], { env: { ...process.env, ...env }, stdio: 'ignore' });
  sql(
    `DROP TABLE IF EXISTS events;
     CREATE TABLE events (id bigserial PRIMARY KEY, at timestamptz, level text, payload jsonb);
     INSERT INTO events (at, level, payload)
       SELECT timestamptz '2026-01-01 00:00Z' + n * interval '1 s', (ARRAY['info', 'warn', 'error'])[1 + n % 3],
         jsonb_build_object('request', md5(n::text), 'user', n % 1000, 'path', '/api/items/' || n % 5000)
       FROM generate_series(1, ${Math.round(EVENTS_PER_GIGABYTE * gigabytes)}) n;
     VACUUM ANALYZE;`,
  );
}

/** Starts a server with a database of about a gigabyte. */
export async function startBenchServer(): Promise<BenchServer> {
  const server = await startEmptyServer();
  fill(server, 1);
  return server;
}
