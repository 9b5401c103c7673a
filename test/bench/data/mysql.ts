import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mariadb } from '../../services/mariadb.ts';
import { createMysqlDatabase, mysqlClient } from '../../services/mysql-client.ts';
import { serviceFolder } from '../../services/service.ts';

/** A private MariaDB with one database, for the cases that compare dumps. */
export interface MysqlBenchServer {
  /** Its first argument for MariaDB's programs. */
  readonly options: string;
  /** The same for a policy. */
  readonly target: Readonly<Record<string, unknown>>;
  readonly sql: (statements: string) => string;
  readonly stop: () => Promise<void>;
}

const DATABASE = 'bench';
/** About half a gigabyte of SQL: events as logs have them, and narrow rows. */
const FILL = `
  CREATE TABLE events (id bigint PRIMARY KEY AUTO_INCREMENT, at datetime, level varchar(10), payload text, KEY (at));
  INSERT INTO events (at, level, payload)
    SELECT TIMESTAMP '2026-01-01 00:00:00' + INTERVAL seq SECOND, ELT(1 + seq % 3, 'info', 'warn', 'error'),
      CONCAT('{"request": "', MD5(seq), '", "user": ', seq % 1000, ', "path": "/api/items/', seq % 5000, '"}')
    FROM seq_1_to_3000000;
  CREATE TABLE counters (id int PRIMARY KEY, n int, pad char(60));
  INSERT INTO counters SELECT seq, seq * 7 % 1000, '' FROM seq_1_to_3000000;`;

export async function startMysqlBenchServer(): Promise<MysqlBenchServer> {
  const workDir = mkdtempSync(join(tmpdir(), 'bkp-bench-mysql-'));
  chmodSync(workDir, 0o755);
  const folder = serviceFolder(mariadb);
  await mariadb.install(folder);
  const { connection, stop } = await mariadb.start(folder, workDir);
  const { host = '', port = '', user = '', password = '', bin = '' } = connection;
  const options = join(workDir, 'client.cnf');
  writeFileSync(options, `[client]\nhost=${host}\nport=${port}\nuser=${user}\npassword=${password}\n`, { mode: 0o600 });
  createMysqlDatabase(connection, DATABASE);
  mysqlClient(connection, DATABASE, FILL);
  return {
    options: `--defaults-file=${options}`,
    target: { type: 'mysql', host, port: Number(port), user, password, database: DATABASE, tools: bin },
    sql: (statements) => mysqlClient(connection, null, statements),
    stop: async () => {
      await stop();
      rmSync(workDir, { recursive: true, force: true });
    },
  };
}
