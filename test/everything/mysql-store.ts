import mysql from 'mysql2/promise';
import { connectionOf } from '../services/connection.ts';
import { createMysqlDatabase, dropMysqlDatabase, mysqlClient } from '../services/mysql-client.ts';
import { type Store, textOf } from './store.ts';

const DATABASE = 'everything';

/** A database of a MySQL or a MariaDB server. */
export function mysqlStore(service: string): Store {
  const server = connectionOf(service);
  const { host = '', port = '', user = '', password = '', bin = '' } = server;
  const variable = `EVERYTHING_${service.replaceAll(/\W/g, '_').toUpperCase()}`;
  let client: Promise<mysql.Connection> | undefined;
  const connected = (): Promise<mysql.Connection> =>
    (client ??= mysql.createConnection({ host, port: Number(port), user, password, database: DATABASE }));
  const close = async (): Promise<void> => {
    await (await client?.catch(() => undefined))?.end().catch(() => undefined);
    client = undefined;
  };
  return {
    // A server of every version is a target of its own.
    name: service.replaceAll('.', '-'),
    target: {
      type: 'mysql',
      host,
      port: Number(port),
      user,
      password: `\${env:${variable}}`,
      database: DATABASE,
      tools: bin,
    },
    env: { [variable]: password },
    isOneMoment: true,

    async seed() {
      dropMysqlDatabase(server, DATABASE);
      createMysqlDatabase(server, DATABASE);
      mysqlClient(
        server,
        DATABASE,
        `CREATE TABLE kinds (id bigint unsigned PRIMARY KEY, exact decimal(40,20), part double, name text, bytes blob, at datetime(6),
           mood enum('good', 'bad'), flags set('a','b'), bits bit(9), more json, twice bigint unsigned AS (id * 2) STORED, point point);
         INSERT INTO kinds (id, exact, part, name, bytes, at, mood, flags, bits, more, point)
           VALUES (9007199254740993, -0.00000000000000000001, 1e308, 'ünï¢öde 🐬\\n''', x'00ff0a27', '1000-01-01 00:00:00.000001', 'bad', 'a,b', b'100000001',
             '{"a": [1, null]}', POINT(1, 2));
         INSERT INTO kinds (id) VALUES (2);
         CREATE VIEW names AS SELECT name FROM kinds;
         CREATE FUNCTION answer() RETURNS int DETERMINISTIC RETURN 42;
         CREATE TABLE headers (n int PRIMARY KEY) ENGINE = InnoDB;
         CREATE TABLE bodies (n int, text text, FOREIGN KEY (n) REFERENCES headers (n)) ENGINE = InnoDB;`,
      );
    },
    async write(n) {
      const connection = await connected();
      await connection.beginTransaction();
      await connection.execute('INSERT INTO headers VALUES (?)', [n]);
      await connection.execute('INSERT INTO bodies VALUES (?, ?)', [n, textOf(n)]);
      await connection.commit();
    },
    async read() {
      const lines = (sql: string): readonly string[] => mysqlClient(server, DATABASE, sql).split('\n').filter(Boolean);
      const written = lines('SELECT h.n, b.text FROM headers h LEFT JOIN bodies b USING (n)');
      return {
        seeded:
          lines(`SELECT id, exact, part, hex(name), hex(bytes), at, mood, flags, hex(bits), more, twice, ST_AsText(point) FROM kinds ORDER BY id;
          SELECT hex(name) FROM names ORDER BY 1; SELECT answer();
          SELECT table_name, column_name, referenced_table_name FROM information_schema.key_column_usage
            WHERE table_schema = '${DATABASE}' ORDER BY 1, 2, 3; SELECT count(*) FROM bodies WHERE n NOT IN (SELECT n FROM headers)`),
        written: new Map(written.map((line) => [Number(line.split('\t')[0]), line.split('\t')[1] ?? ''])),
      };
    },
    async lose() {
      await close();
      dropMysqlDatabase(server, DATABASE);
    },
    close,
  };
}
