import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { onTestFinished } from 'vitest';
import type { Orders, Outcome } from './orders.ts';

const ROOT = new URL('../..', import.meta.url).pathname;

/** The repositories, targets and one backup that most scenarios live in; `more` stands below the backup `app`. */
export const policyText = (more = '', repositories = '[nas, off]'): string => `version: 1
name: acme
repositories:
  nas: { type: directory, path: nas }
  off: { type: directory, path: off }
targets:
  db: { type: sqlite, path: data/app.db }
  up: { type: files, paths: [data/up] }
backups:
  app:
    targets: [db, up]
    repositories: ${repositories}
${more.replaceAll(/^(?=.)/gm, '    ')}
`;

/** What a program run to its end said. */
export interface Said {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

/** A folder with a policy, data, repositories and a cache of its own. */
export interface World {
  readonly folder: string;
  readonly policy: string;
  readonly cacheDir: string;
  path(...parts: readonly string[]): string;
  read(path: string): Buffer;
  write(path: string, content: string | Uint8Array): void;
  /** The real program, for the Node.js that runs this. */
  readonly program: string;
  readonly env: NodeJS.ProcessEnv;
  /** Runs the real program there. */
  bkp(...args: readonly string[]): Promise<Said>;
  startBkp(...args: readonly string[]): ChildProcess;
  startRunner(orders: Omit<Orders, 'policy' | 'cacheDir'>): ChildProcess;
  /** Runs the runner to its end; null where it did not come to one. */
  runner(
    orders: Omit<Orders, 'policy' | 'cacheDir'>,
  ): Promise<{ readonly said: Said; readonly outcome: Outcome | null }>;
  sql(text: string): void;
  rows(database?: string): readonly unknown[];
  /** Files below a folder, sorted, relative to it. */
  files(folder: string): readonly string[];
  json(path: string): unknown;
}

/** Makes a world that goes with the test. */
export function newWorld(policy: string = policyText()): World {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'bkp-scenario-')));
  onTestFinished(() => removeTree(folder));
  mkdirSync(join(folder, 'data', 'up', 'deep'), { recursive: true });
  writeFileSync(join(folder, 'data', 'up', 'one.txt'), 'one\n');
  writeFileSync(join(folder, 'data', 'up', 'deep', 'two.bin'), Buffer.alloc(40_000, 'two'));
  writeFileSync(join(folder, 'bkp.yaml'), policy);
  const world = worldIn(folder);
  world.sql('CREATE TABLE events (id INTEGER PRIMARY KEY, text TEXT)');
  world.sql("INSERT INTO events (text) VALUES ('one'), ('two'), ('three')");
  return world;
}

/** A copy of a world, with an empty cache. */
export function copyWorld(original: World): World {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'bkp-scenario-')));
  cpSync(original.folder, folder, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  removeTree(join(folder, 'cache'));
  return worldIn(folder);
}

/** Removes a tree that a test may have made unwritable. */
export function removeTree(folder: string): void {
  if (!existsSync(folder)) return;
  execFileSync('chmod', ['-R', 'u+rwX', '--', folder], { stdio: 'ignore' });
  rmSync(folder, { recursive: true, force: true });
}

function worldIn(folder: string): World {
  const path = (...parts: readonly string[]): string => join(folder, ...parts);
  const cacheDir = path('cache');
  const env = { ...process.env, XDG_CACHE_HOME: cacheDir, NO_COLOR: '1', TMPDIR: tmpdir() };
  const start = (args: readonly string[]): ChildProcess => startIn({ folder, env }, [process.execPath, ...args]);
  const program = join(ROOT, 'src', 'bkp.cjs');
  const startBkp = (...args: readonly string[]): ChildProcess => start([program, ...args]);
  const startRunner: World['startRunner'] = (orders) => {
    const whole: Orders = { ...orders, policy: path('bkp.yaml'), cacheDir };
    return start([join(ROOT, 'test', 'scenarios', 'runner.ts'), JSON.stringify(whole)]);
  };
  return {
    folder,
    policy: path('bkp.yaml'),
    cacheDir,
    program,
    env,
    path,
    read: (name) => readFileSync(path(name)),
    write: (name, content) => writeFileSync(path(name), content),
    bkp: (...args) => ended(startBkp(...args)),
    startBkp,
    startRunner,
    runner: async (orders) => {
      const said = await ended(startRunner(orders));
      const line = said.out.trim().split('\n').at(-1) ?? '';
      return { said, outcome: line.startsWith('{') ? (JSON.parse(line) as Outcome) : null };
    },
    sql: (text) => {
      const database = new DatabaseSync(path('data', 'app.db'));
      database.exec(text);
      database.close();
    },
    rows: (file = path('data', 'app.db')) => {
      const database = new DatabaseSync(file, { readOnly: true });
      try {
        return database
          .prepare('SELECT id, text FROM events ORDER BY id')
          .all()
          .map((row) => ({ ...row }));
      } finally {
        database.close();
      }
    },
    files: (name) => filesBelow(path(name)),
    json: (name) => JSON.parse(readFileSync(path(name), 'utf8')) as unknown,
  };
}

export function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .toSorted();
}

/** Starts any program in a world. */
export function startIn({ folder, env }: Pick<World, 'folder' | 'env'>, argv: readonly string[]): ChildProcess {
  const [program = '', ...args] = argv;
  return spawn(program, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Waits for a process and its output. */
export function ended(child: ChildProcess): Promise<Said> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) =>
      resolve({ code, signal, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() }),
    );
  });
}
