import pg from 'pg';
import { connectionOf } from '../services/connection.ts';
import { createDatabase, dropDatabase, psql } from '../services/postgres-psql.ts';
import { type Store, textOf } from './store.ts';

const DATABASE = 'everything';

export function postgresStore(): Store {
  const connection = connectionOf('postgres-15');
  const { host = '', port = '', user = '', password = '' } = connection;
  let client: Promise<pg.Client> | undefined;
  const connected = (): Promise<pg.Client> => (client ??= connect());
  const connect = async (): Promise<pg.Client> => {
    const made = new pg.Client({ host, port: Number(port), user, password, database: DATABASE });
    // It is cut off when its database is taken away.
    made.on('error', () => (client = undefined));
    await made.connect();
    return made;
  };
  const close = async (): Promise<void> => {
    await (await client?.catch(() => undefined))?.end().catch(() => undefined);
    client = undefined;
  };
  return {
    name: 'postgres',
    target: { type: 'postgres', host, port: Number(port), user, password: '${env:EVERYTHING_PG}', database: DATABASE },
    env: { EVERYTHING_PG: password },
    isOneMoment: true,

    async seed() {
      dropDatabase(connection, DATABASE);
      createDatabase(connection, DATABASE);
      psql(
        connection,
        DATABASE,
        `CREATE TYPE mood AS ENUM ('good', 'bad');
         CREATE TABLE kinds (id bigint PRIMARY KEY, exact numeric, part float8, name text, bytes bytea, at timestamptz, mood mood, tags text[], more jsonb,
           twice bigint GENERATED ALWAYS AS (id * 2) STORED);
         INSERT INTO kinds VALUES (9223372036854775, 1e-30, 'NaN', E'ünï¢öde\\n', '\\x00ff0a27', 'infinity', 'bad', '{a,NULL}', '{"a": 1e400}');
         INSERT INTO kinds (id) VALUES (2);
         CREATE VIEW names AS SELECT name FROM kinds;
         CREATE FUNCTION answer() RETURNS int LANGUAGE sql AS 'SELECT 42';
         CREATE TABLE headers (n int PRIMARY KEY); CREATE TABLE bodies (n int REFERENCES headers, text text);`,
      );
    },
    async write(n) {
      const insert = 'WITH h AS (INSERT INTO headers VALUES ($1)) INSERT INTO bodies VALUES ($1, $2)';
      await (await connected()).query(insert, [n, textOf(n)]);
    },
    async read() {
      const lines = (sql: string): readonly string[] => psql(connection, DATABASE, sql).split('\n').filter(Boolean);
      const written = lines('SELECT n, text FROM headers FULL JOIN bodies USING (n)');
      return {
        seeded: lines(`SELECT * FROM kinds ORDER BY id; SELECT * FROM names ORDER BY 1; SELECT answer();
          SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY conname`),
        written: new Map(written.map((line) => [Number(line.split('|')[0]), line.split('|')[1] ?? ''])),
      };
    },
    async lose() {
      await close();
      dropDatabase(connection, DATABASE);
    },
    close,
  };
}
