import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PostgresConfig } from '../../../src/engines/postgres/server/connection.ts';
import { startAnother } from '../../services/another-server.ts';
import { psql } from '../../services/postgres-psql.ts';

/** A server that nobody else uses, for what belongs to a whole server. */
export interface OwnServer {
  /** How to reach it with its own programs, without a database. */
  readonly config: PostgresConfig;
  /** Runs SQL as superuser; rows as lines, columns divided by `|`. */
  readonly sql: (database: string, statements: string) => string;
  readonly stop: () => Promise<void>;
}

/** `like` is one that was started for all: `postgres-15`. */
export async function startOwnServer(like = 'postgres-15'): Promise<OwnServer> {
  const folder = mkdtempSync(join(tmpdir(), 'bkp-own-server-'));
  // The server runs as another user where we are root.
  chmodSync(folder, 0o755);
  const { connection, stop } = await startAnother(like, folder);
  const { host = '', port = '', user = '', password = '', bin = '' } = connection;
  return {
    config: { type: 'postgres', host, port: Number(port), user, password, tools: bin },
    sql: (database, statements) => psql(connection, database, statements),
    async stop() {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
