import { appendFile, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, onTestFinished } from 'vitest';
import { makePlace, type Place } from './run-bkp.ts';

/** Yearly, so that no tick falls into a test. */
export const POLICY = `version: 1
name: shop

repositories:
  near: { type: directory, path: near }
  far: { type: directory, path: far }

targets:
  db: { type: sqlite, path: app.db }
  tree: { type: files, paths: [tree] }

backups:
  shop:
    targets: [db, tree]
    repositories: [near, far]
    schedule: "0 0 1 1 *"
    retention: { keepLast: 2 }
    verify: { every: 7d }
`;

/** A small shop with a database, a tree of files and a policy. */
export interface Project extends Place {
  /** Replaces the policy. */
  policy(text: string): Promise<void>;
  /** Changes the policy, which must hold what is replaced. */
  edit(before: string, after: string): Promise<void>;
  /** Runs SQL on the live database. */
  sql(statement: string): void;
  count(table: string, database?: string): number;
  /** Ids of the snapshots that `bkp list` shows, newest first. */
  ids(args?: string): Promise<readonly string[]>;
}

/** A database in WAL mode with 500 events and 2 users, a tree of two files, and the policy; no repository yet. */
export async function makeProject(policy: string = POLICY): Promise<Project> {
  const place = await makePlace();
  const database = new DatabaseSync(place.path('app.db'));
  database.exec(`
    PRAGMA journal_mode = WAL;
    CREATE TABLE events (id INTEGER PRIMARY KEY, body TEXT NOT NULL);
    CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
      INSERT INTO events SELECT i, 'event ' || i FROM n;
    INSERT INTO users (name) VALUES ('ann'), ('bob');
  `);
  database.close();
  await mkdir(place.path('tree', 'sub'), { recursive: true });
  await writeFile(place.path('tree', 'a.txt'), 'first\n');
  await writeFile(place.path('tree', 'sub', 'b.txt'), 'second\n'.repeat(1_000));
  await writeFile(place.path('bkp.yaml'), policy);
  return projectAt(place);
}

/** A project with one snapshot in both repositories, verified. Goes with the file's tests. */
export async function appliedProject(policy: string = POLICY): Promise<Project> {
  const project = await makeProject(policy);
  afterAll(() => project.remove());
  await project.bkp('apply --yes --init-repositories');
  return project;
}

/**
 * A copy of a project for a test that changes it; goes with the test. An archive knows the paths it was captured from, so a
 * copy of the tree can be restored elsewhere only; tests that restore it in place use `renewed`.
 */
export async function copyOf(project: Project): Promise<Project> {
  const place = await makePlace();
  onTestFinished(() => place.remove());
  await copyInto(project, place);
  return projectAt(place);
}

const copyInto = (project: Place, place: Place): Promise<void> =>
  cp(project.folder, place.folder, {
    recursive: true,
    preserveTimestamps: true,
    filter: (source) => !source.startsWith(`${project.folder}/.`),
  });

/** The project as it was when this was called, for every test anew and in the same folder. */
export async function renewed(project: Project): Promise<() => Promise<Project>> {
  const copy = await makePlace();
  afterAll(() => copy.remove());
  await copyInto(project, copy);
  return async () => {
    for (const name of await readdir(project.folder)) await rm(project.path(name), { recursive: true, force: true });
    await mkdir(project.env['HOME'] ?? '');
    await mkdir(project.env['TMPDIR'] ?? '');
    await copyInto(copy, project);
    return project;
  };
}

/** A project that goes with the test. */
export async function testProject(policy: string = POLICY): Promise<Project> {
  const project = await makeProject(policy);
  onTestFinished(() => project.remove());
  return project;
}

function projectAt(place: Place): Project {
  const open = (path = 'app.db'): DatabaseSync => new DatabaseSync(place.path(path));
  return {
    ...place,
    policy: (text) => writeFile(place.path('bkp.yaml'), text),
    edit: async (before, after) => {
      const text = await readFile(place.path('bkp.yaml'), 'utf8');
      if (!text.includes(before)) throw new Error(`the policy does not hold ${before}`);
      await writeFile(place.path('bkp.yaml'), text.replace(before, after));
    },
    sql: (statement) => {
      const database = open();
      database.exec(statement);
      database.close();
    },
    count: (table, path) => {
      const database = open(path);
      const row = database.prepare(`SELECT count(*) AS n FROM ${table}`).get();
      database.close();
      return Number(row?.['n']);
    },
    ids: async (args = '') => {
      const { stdout } = await place.bkp(`list --format json${args === '' ? '' : ` ${args}`}`);
      const { snapshots } = JSON.parse(stdout) as { readonly snapshots: readonly { readonly id: string }[] };
      return [...new Set(snapshots.map(({ id }) => id))];
    },
  };
}

/** Spoils a stored artifact: one byte more than the manifest says. */
export async function damage(project: Project, repository: string, id: string, key: string): Promise<void> {
  await appendFile(project.path(repository, 'snapshots', 'shop', id, key), 'x');
}
