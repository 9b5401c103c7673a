import { rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { type Store, textOf } from './store.ts';

export function sqliteStore(folder: string): Store {
  const path = `${folder}/app.db`;
  let database: DatabaseSync | undefined;
  const open = (): DatabaseSync => (database ??= new DatabaseSync(path, { timeout: 30_000 }));
  const close = (): void => {
    database?.close();
    database = undefined;
  };
  return {
    name: 'sqlite',
    target: { type: 'sqlite', path: 'app.db' },
    env: {},
    isOneMoment: true,

    async seed() {
      open().exec(`PRAGMA journal_mode = WAL;
        CREATE TABLE kinds (id INTEGER PRIMARY KEY, whole INTEGER, part REAL, name TEXT, bytes BLOB, missing);
        INSERT INTO kinds VALUES (1, 9223372036854775807, 0.1, 'ünï¢öde' || char(10), x'00ff0a27', NULL), (2, -1, -0.0, '', x'', NULL);
        CREATE VIEW names AS SELECT name FROM kinds;
        CREATE TABLE headers (n INTEGER PRIMARY KEY); CREATE TABLE bodies (n INTEGER REFERENCES headers, text TEXT);`);
    },
    async write(n) {
      open().exec(`BEGIN; INSERT INTO headers VALUES (${n}); INSERT INTO bodies VALUES (${n}, '${textOf(n)}'); COMMIT`);
    },
    async read() {
      const rows = (sql: string): readonly Record<string, unknown>[] => {
        const statement = open().prepare(sql);
        statement.setReadBigInts(true);
        return statement.all();
      };
      const seeded = [
        'SELECT sql FROM sqlite_schema ORDER BY 1',
        'SELECT id, whole, quote(part) AS part, name, hex(bytes) AS bytes, missing FROM kinds ORDER BY id',
      ];
      const written = rows(
        'SELECT coalesce(h.n, b.n) AS n, h.n || b.text AS text FROM headers h FULL JOIN bodies b USING (n)',
      );
      return {
        seeded: seeded.flatMap((sql) => rows(sql).map((row) => Object.values(row).map(String).join('|'))),
        written: new Map(written.map(({ n, text }) => [Number(n), String(text).slice(String(n).length)])),
      };
    },
    async lose() {
      close();
      for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
    },
    close: async () => close(),
  };
}
