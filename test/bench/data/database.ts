import { DatabaseSync } from 'node:sqlite';
import { createRandom, createText } from './words.ts';

const BATCH = 10_000;

/** Makes a database of events in WAL mode, of at least the size given. */
export function makeDatabase(path: string, bytes: number): void {
  const database = new DatabaseSync(path);
  const random = createRandom(9);
  const text = createText(random);
  database.exec(`PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;
    CREATE TABLE projects (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE events (id INTEGER PRIMARY KEY, project INTEGER NOT NULL REFERENCES projects (id),
      at TEXT NOT NULL, fingerprint BLOB NOT NULL, body TEXT NOT NULL);
    CREATE INDEX events_by_project ON events (project, at);
    CREATE TABLE live (id INTEGER PRIMARY KEY, at TEXT NOT NULL, body TEXT NOT NULL)`);
  for (let id = 1; id <= 50; id += 1) database.prepare('INSERT INTO projects VALUES (?, ?)').run(id, `project-${id}`);
  const insert = database.prepare('INSERT INTO events (project, at, fingerprint, body) VALUES (?, ?, ?, ?)');
  const fingerprint = (): Buffer => Buffer.from(Array.from({ length: 16 }, () => Math.floor(random() * 256)));
  const size = (): number => {
    const { pages } = database.prepare('SELECT page_count AS pages FROM pragma_page_count').get() as { pages: number };
    return pages * 4096;
  };
  for (let made = 0; size() < bytes; made += BATCH) {
    database.exec('BEGIN');
    for (let index = made; index < made + BATCH; index += 1) {
      const project = 1 + Math.floor(random() * 50);
      const at = new Date(1.7e12 + index * 1000).toISOString();
      const body = text(200 + Math.floor(random() * 3000)).toString('latin1');
      insert.run(project, at, fingerprint(), body);
    }
    database.exec('COMMIT');
  }
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  database.close();
}
