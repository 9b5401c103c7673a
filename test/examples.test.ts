import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, it } from 'vitest';

const ROOT = new URL('..', import.meta.url).pathname;
const parent = mkdtempSync(join(tmpdir(), 'bkp-examples-'));
afterAll(() => rmSync(parent, { recursive: true, force: true }));

function makeDatabase(path: string, table: string): void {
  mkdirSync(join(path, '..'), { recursive: true });
  const database = new DatabaseSync(path);
  database.exec(
    `CREATE TABLE ${table} (id INTEGER PRIMARY KEY, what TEXT); INSERT INTO ${table} (what) VALUES ('one'), ('two')`,
  );
  database.close();
}

function makeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

/** The data each example speaks of; what to lose and how to see that it is back. */
const EXAMPLES: Readonly<
  Record<
    string,
    { readonly seed: (root: string) => void; readonly lose: readonly string[]; readonly restore: readonly string[] }
  >
> = {
  'sqlite-app': {
    seed: (root) => {
      makeDatabase(join(root, 'data/app.db'), 'events');
      makeFiles(root, { 'data/uploads/a/photo.jpg': 'jpeg', 'data/uploads/b.tmp': 'left out' });
    },
    lose: ['data/app.db', 'data/uploads'],
    restore: ['app@latest'],
  },
  files: {
    seed: (root) =>
      makeFiles(root, { 'etc/web/site.conf': 'listen 80', 'etc/web/x.log': 'left out', 'etc/tls/key.pem': 'PEM' }),
    lose: ['etc/web', 'etc/tls'],
    restore: ['config@latest'],
  },
  teams: {
    seed: (root) => {
      makeDatabase(join(root, 'data/shop/shop.db'), 'orders');
      makeDatabase(join(root, 'data/wiki/wiki.db'), 'pages');
      makeFiles(root, { 'data/shop/images/1.png': 'png' });
    },
    lose: ['data/shop/shop.db', 'data/shop/images', 'data/wiki/wiki.db'],
    restore: ['shop@latest', 'wiki@latest'],
  },
};

const contents = (root: string, folders: readonly string[]): readonly string[] =>
  folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(
        (entry) =>
          `${join(entry.parentPath, entry.name)} ${readFileSync(join(entry.parentPath, entry.name), 'latin1').length}`,
      ),
  );

describe('examples', () => {
  it('has a test for every example', () => {
    expect(readdirSync(join(ROOT, 'examples')).toSorted()).toEqual(Object.keys(EXAMPLES).toSorted());
  });

  it.each(Object.entries(EXAMPLES))(
    '%s is validated, planned, applied and restored',
    (name, { seed, lose, restore }) => {
      const root = join(parent, name);
      cpSync(join(ROOT, 'examples', name), root, { recursive: true });
      seed(root);
      const bkp = (...args: readonly string[]): string =>
        execFileSync('node', [join(ROOT, 'src/bkp.cjs'), ...args], {
          cwd: root,
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'pipe'],
          env: { ...process.env, XDG_CACHE_HOME: join(root, '.cache') },
        });
      expect(bkp('validate')).toContain('valid bkp.yaml');
      expect(bkp('plan', '--init-repositories')).toContain('first-snapshot');
      bkp('apply', '--yes', '--init-repositories');
      expect(bkp('plan')).toContain('No changes.');
      const folders = [...new Set(lose.map((path) => path.split('/')[0] ?? ''))];
      const before = contents(root, folders).filter((line) => !/\.(?:tmp|log) /.test(line));
      for (const path of lose) rmSync(join(root, path), { recursive: true });
      for (const snapshot of restore) bkp('restore', snapshot, '--yes');
      expect(contents(root, folders)).toEqual(before);
      expect(bkp('verify', '--deep')).not.toContain('DAMAGED');
    },
  );
});
