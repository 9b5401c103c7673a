import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, readFile, rm } from 'node:fs/promises';
import { join, basename } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sqlite } from '../../src/engines/sqlite.ts';
import { sampleBytes } from '../streams/samples.ts';
import type { EngineFixture } from './fixture.ts';

const SCHEMA = `
  CREATE TABLE projects (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE TABLE issues (project_id INTEGER NOT NULL REFERENCES projects, number INTEGER NOT NULL, title TEXT,
    PRIMARY KEY (project_id, number)) WITHOUT ROWID;
  CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER REFERENCES projects, level TEXT,
    payload BLOB, size INTEGER GENERATED ALWAYS AS (length(payload)) STORED);
  CREATE INDEX events_level ON events (level);
  CREATE TABLE "odd ""name"" 'é'" ("a b" REAL, "c""d" ANY) STRICT;
  CREATE VIRTUAL TABLE notes USING fts5(body);
  CREATE VIEW errors AS SELECT * FROM events WHERE level = 'error';
  CREATE TABLE log (message TEXT);
  CREATE TRIGGER events_log AFTER INSERT ON events BEGIN INSERT INTO log VALUES ('event ' || new.id); END;
  PRAGMA user_version = 7; PRAGMA application_id = 4711;`;

/** Opens a database of a test, and closes it again. */
export function withDatabase<T>(path: string, use: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(path);
  try {
    return use(database);
  } finally {
    database.close();
  }
}

/** Adds a virtual table of an extension that is nowhere. */
export function addUnknownTable(path: string): void {
  withDatabase(path, (database) => {
    database.enableDefensive(false);
    database.exec(`PRAGMA writable_schema = 1;
      INSERT INTO sqlite_schema VALUES ('table', 'odd', 'odd', 0, 'CREATE VIRTUAL TABLE odd USING nosuch(a)')`);
  });
}

export const sqliteFixture: EngineFixture<'sqlite'> = {
  name: 'sqlite',
  engine: sqlite,
  isPersistent: true,
  producer: null,
  consumer: null,
  query: { sql: "SELECT count(*) FROM events WHERE level = 'error'", value: 50 },

  async make(folder, content) {
    const path = join(folder, 'app.db');
    withDatabase(path, (database) => {
      database.exec('PRAGMA journal_mode = WAL');
      if (content === 'empty') {
        database.exec('VACUUM');
        return;
      }
      database.exec(SCHEMA);
      database.exec("BEGIN; INSERT INTO projects VALUES (1, 'one'), (2, 'two')");
      database.exec("INSERT INTO issues VALUES (1, 1, 'first'), (1, 2, NULL), (2, 1, 'other')");
      database.exec(`INSERT INTO "odd ""name"" 'é'" VALUES (1.5, 'x'), (1.5, 'x'), (NULL, x'00ff')`);
      database.exec("INSERT INTO notes (body) VALUES ('a stack trace'), ('another one')");
      const insert = database.prepare('INSERT INTO events (project_id, level, payload) VALUES (?, ?, ?)');
      const payload = content === 'large' ? sampleBytes(100_000) : sampleBytes(300);
      for (let at = 0; at < 100; at += 1) {
        payload[0] = at;
        insert.run(1 + (at % 2), at % 2 === 0 ? 'error' : 'info', content === 'large' ? scramble(payload) : payload);
      }
      database.exec('COMMIT');
    });
    return { type: 'sqlite', path };
  },

  elsewhere: (target, folder) => ({ type: 'sqlite', path: join(folder, basename(target.path)) }),

  async digest({ path }) {
    if (!existsSync(path)) return 'absent';
    try {
      return withDatabase(path, digestDatabase);
    } catch {
      return `unreadable ${createHash('sha256')
        .update(await readFile(path))
        .digest('hex')}`;
    }
  },

  async alter({ path }) {
    withDatabase(path, (database) => {
      database.exec("DELETE FROM events WHERE id = 13; DELETE FROM issues WHERE title = 'other'");
      database.exec("INSERT OR IGNORE INTO projects VALUES (3, 'three')");
    });
  },

  async partsOf({ path }) {
    return withDatabase(path, (database) => ({
      taken:
        database.prepare('SELECT 1 FROM events WHERE id = 13').get() !== undefined &&
        database.prepare("SELECT 1 FROM issues WHERE title = 'other'").get() !== undefined,
      added: database.prepare("SELECT 1 FROM projects WHERE name = 'three'").get() !== undefined,
    }));
  },

  destroy: ({ path }) => rm(path),
  forbid: ({ path }) => chmod(path, 0),
  recordBoundary: (raw) => Math.floor(raw.length / 2 / 4096) * 4096,
};

function scramble(bytes: Buffer): Buffer {
  let key = createHash('sha256').update(bytes).digest();
  for (let at = 0; at < bytes.length; at += 32) {
    key = createHash('sha256').update(key).digest();
    key.copy(bytes, at);
  }
  return bytes;
}

function digestDatabase(database: DatabaseSync): string {
  const hash = createHash('sha256');
  const add = (sql: string): void => {
    const statement = database.prepare(sql);
    statement.setReadBigInts(true);
    for (const row of statement.iterate()) {
      for (const value of Object.values(row)) {
        hash
          .update(`${typeof value}:`)
          .update(value instanceof Uint8Array ? value : String(value))
          .update('\0');
      }
    }
  };
  add('PRAGMA integrity_check');
  add('PRAGMA user_version');
  add("SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'notes_%' ORDER BY type, name");
  const tables = database.prepare(
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'notes_%' ORDER BY name",
  );
  for (const { name } of tables.all() as unknown as readonly { name: string }[]) {
    const quoted = `"${name.replaceAll('"', '""')}"`;
    const columns = database.prepare(`SELECT * FROM pragma_table_info(?)`).all(name);
    add(`SELECT * FROM ${quoted} ORDER BY ${columns.map((_, at) => at + 1).join(', ')}`);
  }
  return hash.digest('hex');
}
