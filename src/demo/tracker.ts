import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Where the demo's error tracker keeps its things. */
export interface Tracker {
  readonly root: string;
  readonly database: string;
  readonly sourcemaps: string;
  readonly config: string;
}

export const trackerIn = (root: string): Tracker => ({
  root,
  database: join(root, 'tracker.db'),
  sourcemaps: join(root, 'sourcemaps'),
  config: join(root, 'tracker.conf'),
});

const PROJECTS = ['checkout', 'search', 'mobile-app', 'admin', 'billing'];
const RELEASES = ['2026.10.1', '2026.10.2', '2026.11.0'];
const ERRORS = ['TypeError', 'RangeError', 'NetworkError', 'TimeoutError', 'QuotaExceededError'];
const EVENTS = 200_000;
const ISSUES = 400;

/** Makes the tracker: 200,000 events in a WAL database, source maps by project and release, a config file. */
export function makeTracker(tracker: Tracker): void {
  mkdirSync(tracker.root, { recursive: true });
  makeDatabase(tracker.database);
  for (const project of PROJECTS)
    for (const release of RELEASES) makeSourcemaps(join(tracker.sourcemaps, project, release));
  writeFileSync(tracker.config, 'listen = 127.0.0.1:9000\nretention_days = 90\nsample_rate = 1.0\n', { mode: 0o640 });
}

function makeDatabase(path: string): void {
  const database = new DatabaseSync(path);
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    CREATE TABLE projects (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE issues (id INTEGER PRIMARY KEY, project_id INTEGER NOT NULL REFERENCES projects, title TEXT NOT NULL, status TEXT NOT NULL);
    CREATE TABLE events (id INTEGER PRIMARY KEY, issue_id INTEGER NOT NULL REFERENCES issues, at TEXT NOT NULL, release TEXT NOT NULL, payload TEXT NOT NULL);
    CREATE INDEX events_by_issue ON events (issue_id, at);
  `);
  database.exec('BEGIN');
  const addProject = database.prepare('INSERT INTO projects VALUES (?, ?)');
  PROJECTS.forEach((name, index) => addProject.run(index + 1, name));
  const addIssue = database.prepare('INSERT INTO issues VALUES (?, ?, ?, ?)');
  for (let id = 1; id <= ISSUES; id += 1) {
    addIssue.run(
      id,
      1 + (id % PROJECTS.length),
      `${ERRORS[id % ERRORS.length]} in module ${id}`,
      id % 7 === 0 ? 'resolved' : 'open',
    );
  }
  const addEvent = prepareEvent(database);
  for (let id = 1; id <= EVENTS; id += 1) addEvent(id);
  database.exec('COMMIT');
  database.close();
}

/** Adds event number `id`; its contents follow from the number. */
export function prepareEvent(database: DatabaseSync): (id: number) => void {
  const insert = database.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?)');
  return (id) => {
    const at = new Date(Date.UTC(2026, 8, 1) + id * 30_000).toISOString();
    const error = ERRORS[(id * 31) % ERRORS.length];
    const payload = JSON.stringify({
      error,
      user: `u${(id * 7919) % 10_007}`,
      url: `/page/${id % 97}`,
      line: (id * 13) % 2_000,
      trace: `at f${id % 53} (app.js:${id % 401})`,
    });
    insert.run(id, 1 + ((id * 17) % ISSUES), at, RELEASES[id % RELEASES.length] ?? '', payload);
  };
}

function makeSourcemaps(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const chunk of ['main', 'vendor', 'runtime', 'worker']) {
    const mappings = Array.from(
      { length: 4_000 },
      (_, line) => `AA${(line * 7).toString(36)},IAAI,CAAC${(line % 11).toString(36)}`,
    ).join(';');
    writeFileSync(
      join(folder, `${chunk}.js.map`),
      JSON.stringify({ version: 3, file: `${chunk}.js`, sources: [`src/${chunk}.ts`], names: [], mappings }),
    );
  }
}

/** The demo's policy: both kinds of target in one restore point, two repositories. */
export const TRACKER_POLICY = `# yaml-language-server: $schema=./policy.schema.json
version: 1
name: tracker-demo

repositories:
  backups: { type: directory, path: ./backups }
  second-disk: { type: directory, path: ./second-disk }

targets:
  events: { type: sqlite, path: ./tracker/tracker.db }
  sourcemaps: { type: files, paths: [./tracker/sourcemaps, ./tracker/tracker.conf] }

backups:
  tracker:
    targets: [events, sourcemaps]
    schedule: "@daily"
    repositories: [backups, second-disk]
    retention: { daily: 7, weekly: 4, keepLast: 2 }
    verify: { every: 7d, deep: 30d }
    checks:
      events:
        - { sql: SELECT count(*) FROM events, expect: ">= 200000" }
        - { facts: tables.events, expect: ">= previous * 0.9" }
`;
