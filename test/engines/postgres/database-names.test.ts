import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { shellQuote } from '../../../src/engines/shell-quote.ts';
import { postgres } from '../../../src/engines/postgres.ts';
import { servicesToTry } from '../../services/connection.ts';
import { testContext } from '../../test-context.ts';
import { fixtureOn } from '../postgres-fixture.ts';
import { newRepository, restore, take } from '../workbench.ts';
import { type OwnServer, startOwnServer } from './own-server.ts';

/** Names that a program of PostgreSQL takes for something else, or a shell does. */
const NAMES = [`a=b c'd`, String.raw`host=nowhere.invalid \' dbname=x`, 'postgres://nowhere.invalid/x', `-d "x" $HOME`];
const FORMATS = ['custom', 'directory', 'tar', 'plain'] as const;
const CASES = NAMES.flatMap((name, index) =>
  (index === 0 ? FORMATS : FORMATS.slice(0, 1)).map((f) => [name, f] as const),
);

describe.each(servicesToTry('postgres'))('a database on %s', (service) => {
  const fixture = fixtureOn(service);
  let server: OwnServer;
  beforeAll(async () => {
    server = await startOwnServer(service);
  });
  afterAll(() => server.stop());

  const administer = (sql: string): string => server.sql('postgres', sql);
  const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
  const drop = (name: string): string => administer(`DROP DATABASE IF EXISTS ${quoted(name)}`);

  function make(name: string): void {
    onTestFinished(() => {
      drop(name);
      administer('DROP ROLE IF EXISTS reader');
    });
    administer(`CREATE DATABASE ${quoted(name)}`);
    administer('CREATE ROLE reader');
    server.sql(name, 'CREATE TABLE t AS SELECT generate_series(1, 9) AS n; GRANT SELECT ON t TO reader');
  }

  test.each(CASES)('of the name %s comes back with its globals (%s)', async (name, format) => {
    make(name);
    const { context, folder } = await testContext();
    const jobs = format === 'directory' ? { jobs: 2 } : {};
    const target = { ...server.config, ...jobs, database: name, format, globals: true };
    const taken = await take(fixture, target, await newRepository(folder, context), context);
    expect(taken.facts).toMatchObject({ tables: { 'public.t': 9 }, globals: { roles: 2 } });
    drop(name);
    administer('DROP ROLE reader');
    const outcome = await restore(fixture, taken, target, 'new', context);
    expect(outcome).toMatchObject({ restored: { roles: 1, 'table public.t': 9 }, warnings: [], conflicts: [] });
    server.sql(name, 'DELETE FROM t WHERE n > 4');
    const merged = await restore(fixture, taken, target, 'merge', context);
    expect(merged.warnings).toEqual([]);
    expect(server.sql(name, `SELECT count(*), has_table_privilege('reader', 't', 'SELECT') FROM t`)).toMatch(/\|t$/);
  });

  test.each(CASES)('of the name %s comes back by hand (%s)', async (name, format) => {
    make(name);
    const { context, folder } = await testContext();
    const repository = await newRepository(folder, context);
    const target = { ...server.config, database: name, format };
    const [artifact] = (await take(fixture, target, repository, context)).artifacts;
    drop(name);
    const file = repository.localPath(artifact?.key ?? '') ?? '';
    const decode = `zstd -dc ${shellQuote(file)}`;
    const command = postgres.nativeRestore(target, { name: '', format: artifact?.format ?? '', decode, file });
    const { tools = '', password = '' } = server.config;
    const env = { PATH: `${tools}:${process.env['PATH']}`, PGPASSWORD: password };
    expect(await context.run({ argv: ['sh', '-c', command], env })).toMatchObject({ exitCode: 0 });
    expect(server.sql(name, 'SELECT count(*) FROM t')).toBe('9');
  });
});
