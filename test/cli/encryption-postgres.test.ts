import { readdir, readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { useServer } from '../engines/postgres/restore-server.ts';
import { ageKey } from '../streams/age-keys.ts';
import { makePlace } from './run-bkp.ts';

const server = useServer('ce_');
beforeEach(() => server.dropAll());
afterAll(() => server.dropAll());

test('several databases whose names nobody shall know come back by name, from a copy for other readers too', async () => {
  for (const name of ['salaries', 'invoices']) {
    await server.sql('postgres', `CREATE DATABASE ce_${name}`);
    await server.sql(name, 'CREATE TABLE kept (id int PRIMARY KEY); INSERT INTO kept SELECT generate_series(1, 40)');
  }
  const { host = '', port, user, password } = server.target('salaries');
  const place = await makePlace();
  onTestFinished(() => place.remove());
  const [mine, theirs] = [await ageKey(place.folder, 'mine'), await ageKey(place.folder, 'theirs')];
  await writeFile(
    place.path('bkp.yaml'),
    `version: 1
name: books
repositories:
  near: { type: directory, path: near, encryption: { recipients: [${mine.recipient}] } }
  far: { type: directory, path: far, encryption: { recipients: [${theirs.recipient}] } }
targets:
  db: { type: postgres, host: ${host}, port: ${port}, user: ${user ?? ''}, password: "\${env:PASSWORD:-${password ?? ''}}", databases: [ce_salaries, ce_invoices] }
backups:
  books: { targets: [db], repositories: [near, far], schedule: "0 0 1 1 *" }
`,
  );
  await place.bkp(`apply --yes --init-repositories --identity ${mine.file}`);
  for (const repository of ['near', 'far']) {
    const names = await readdir(place.path(repository), { recursive: true });
    expect(names.filter((name) => name.endsWith('.age')).map((name) => name.replace(/^.*\/db\//, ''))).toEqual([
      '1.dump.zst.age',
      '2.dump.zst.age',
    ]);
    const manifest = names.find((name) => /^manifests\/.*json$/.test(name)) ?? '';
    const text = await readFile(place.path(repository, manifest), 'utf8');
    // What the policy says is no secret: the definition.
    const { targets } = JSON.parse(text) as { readonly targets: { readonly db: object } };
    expect(JSON.stringify({ ...targets.db, definition: {} })).not.toMatch(/salaries|invoices/);
  }
  await server.dropAll();
  await place.bkp(`restore books@latest --repository far --yes --identity ${mine.file}`, 4);
  const { stdout } = await place.bkp(`restore books@latest --repository far --yes --identity ${theirs.file}`);
  expect(stdout).toContain('ce_salaries');
  expect(await server.sql('invoices', 'SELECT count(*) FROM kept')).toBe('40');
  expect((await place.bkp(`show books@latest --identity ${mine.file}`)).stdout).toMatch(
    /age -d .*2\.dump\.zst\.age .*ce_invoices/,
  );
});
