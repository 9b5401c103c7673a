import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { zstdDecompressSync } from 'node:zlib';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { TargetOf } from '../../../src/engines/engine.ts';
import { postgres } from '../../../src/engines/postgres.ts';
import { testContext } from '../../test-context.ts';
import { postgresFixture } from '../postgres-fixture.ts';
import { incoming, newRepository, restore, SNAPSHOT, take, type Taken } from '../workbench.ts';
import { describeDatabase } from './restore-bench.ts';
import { useServer } from './restore-server.ts';
import { RICH, RICH_ROLES, richProperties } from './rich-database.ts';

const server = useServer('fm_');
const FORMATS = ['custom', 'directory', 'tar', 'plain'] as const;
const STORED = { custom: 'dump', directory: 'dir.tar', tar: 'tar', plain: 'sql' } as const;

const OWN_SUBSCRIPTIONS =
  'SELECT count(*) FROM pg_subscription s JOIN pg_database d ON d.oid = subdbid AND datname = current_database()';

beforeEach(server.dropAll);
afterAll(server.dropAll);

async function makeRich(): Promise<void> {
  await server.sql('postgres', RICH_ROLES);
  await server.sql('postgres', `CREATE DATABASE "${server.nameOf('rich')}"`);
  await server.sql('rich', RICH);
  await server.sql('postgres', richProperties(server.nameOf('rich')));
}

type Changes = Partial<TargetOf<'postgres'>>;

async function takeRich(changes: Changes): Promise<{ readonly taken: Taken; readonly before: string }> {
  const { context, folder } = await testContext();
  await makeRich();
  const before = await describeDatabase(server, 'rich');
  const repository = await newRepository(folder, context);
  return { taken: await take(postgresFixture, { ...server.target('rich'), ...changes }, repository, context), before };
}

const rawOf = async ({ repository, artifacts }: Taken): Promise<Buffer> =>
  zstdDecompressSync(await readFile(repository.localPath(artifacts[0]?.key ?? '') ?? ''));

describe.each(FORMATS)('format %s', (format) => {
  test('brings every kind of object back', async () => {
    const { taken, before } = await takeRich({ format });
    const { context } = await testContext();
    expect(taken.artifacts).toMatchObject([
      { format: `pg-${format}`, key: expect.stringMatching(new RegExp(`\\.${STORED[format]}\\.zst$`)) as unknown },
    ]);
    const outcome = await restore(postgresFixture, taken, server.target('copy'), 'new', context);
    expect(outcome).toMatchObject({ facts: taken.facts, keptOld: [], conflicts: [], warnings: [] });
    // What belongs to the database itself is in no script.
    if (format === 'plain') await server.sql('postgres', richProperties(server.nameOf('copy')));
    expect(await describeDatabase(server, 'copy')).toBe(before);
    expect(await readdir(context.workDir)).toEqual([]);
  });

  test('tells the same facts as the server, and again when it is checked', async () => {
    const { taken } = await takeRich({ format });
    const { context } = await testContext();
    const { facts } = await postgres.check(incoming(taken, context), context, {});
    expect(taken.facts).toMatchObject(facts);
    expect(facts).toMatchObject({ tables: { 'app.orders': 500 }, largeObjects: 2 });
  });

  test('brings missing tables, rows and large objects back', async () => {
    const { taken } = await takeRich({ format });
    const { context } = await testContext();
    const state = async (): Promise<string> =>
      server.sql('rich', 'SELECT count(*) FROM app.orders; SELECT count(*) FROM pg_largeobject_metadata');
    await server.sql('rich', 'DELETE FROM app.orders WHERE id < 100; SELECT lo_unlink(4242)');
    await server.sql('rich', 'DROP TABLE app.log CASCADE');
    const rows = await server.sql('rich', 'SELECT count(*) FROM app.orders');
    expect(rows).not.toBe('500');
    await restore(postgresFixture, taken, server.target('rich'), 'merge', context);
    expect(await state()).toBe('500\n2');
    expect(await server.sql('rich', `SELECT to_regclass('app.log') IS NOT NULL`)).toBe('t');
  });

  test('brings everything back without owners, and single tables', async () => {
    const { taken } = await takeRich({ format });
    const { context } = await testContext();
    const base = { artifacts: incoming(taken, context), skipConflicts: false, expectedFacts: null, snapshot: SNAPSHOT };
    const copy = { ...base, destination: server.target('copy'), mode: 'new', paths: [], noOwner: true } as const;
    await postgres.restore(copy, context);
    const owner = `SELECT tableowner FROM pg_tables WHERE tablename = 'orders'`;
    expect([await server.sql('rich', owner), await server.sql('copy', owner)]).toEqual(['App Owner', 'postgres']);
    expect(await server.sql('copy', 'SELECT count(*) FROM app.orders')).toBe('500');

    await server.sql('copy', 'DELETE FROM app.orders WHERE id < 100; TRUNCATE app.log');
    const table = { ...copy, mode: 'merge', paths: ['app.orders'], noOwner: false } as const;
    await postgres.restore(table, context);
    expect(await server.sql('copy', 'SELECT count(*) FROM app.orders; SELECT count(*) FROM app.log')).toBe('500\n0');
    expect(await readdir(context.workDir)).toEqual([]);
  });

  test('brings texts back from a database that is not in UTF-8', async () => {
    const { context, folder } = await testContext();
    const database = server.nameOf('latin');
    await server.sql('postgres', `CREATE DATABASE "${database}" ENCODING LATIN1 LOCALE 'C' TEMPLATE template0`);
    await server.sql(
      'latin',
      `CREATE TABLE "größe" ("stück" text PRIMARY KEY); INSERT INTO "größe" VALUES ('é'), (E'\\u00a0\\u0085ÿ'), ('plain');
       CREATE TABLE "übrig" (a text DEFAULT 'ä', b text); COMMENT ON TABLE "übrig" IS E'ö\\r\\u0085ü'; INSERT INTO "übrig" VALUES ('ß')`,
    );
    const before = await describeDatabase(server, 'latin');
    const repository = await newRepository(folder, context);
    const taken = await take(postgresFixture, { ...server.target('latin'), format }, repository, context);
    expect(taken.facts).toMatchObject({ tables: { 'public."größe"': 3, 'public."übrig"': 1 } });
    await restore(postgresFixture, taken, server.target('copy'), 'new', context);
    expect(await describeDatabase(server, 'copy')).toBe(before);
    await server.sql('latin', `DELETE FROM "größe" WHERE "stück" <> 'plain'; DROP TABLE "übrig"`);
    await restore(postgresFixture, taken, server.target('latin'), 'merge', context);
    expect(await describeDatabase(server, 'latin')).toBe(before);
  });

  test('leaves subscriptions out and says so', async () => {
    const { context, folder } = await testContext();
    await server.sql('postgres', `CREATE DATABASE "${server.nameOf('subscriber')}"`);
    await server.sql(
      'subscriber',
      `CREATE TABLE kept (a int); INSERT INTO kept VALUES (1);
       CREATE SUBSCRIPTION feed CONNECTION 'host=nowhere password=hidden' PUBLICATION p WITH (connect = false);
       COMMENT ON SUBSCRIPTION feed IS 'from elsewhere'`,
    );
    try {
      const repository = await newRepository(folder, context);
      const target = { ...server.target('subscriber'), format };
      const taken = await take(postgresFixture, target, repository, context);
      const outcome = await restore(postgresFixture, taken, server.target('copy'), 'new', context);
      expect(outcome.warnings).toEqual([expect.stringContaining('subscriptions were left out')]);
      expect(await server.sql('copy', `SELECT a FROM kept; ${OWN_SUBSCRIPTIONS}`)).toBe('1\n0');
    } finally {
      await server.sql('subscriber', 'ALTER SUBSCRIPTION feed SET (slot_name = NONE)');
      await server.sql('subscriber', 'DROP SUBSCRIPTION feed');
    }
  });

  test('one flipped byte in a row is found by the hash alone', async () => {
    const { taken } = await takeRich({ format });
    const { context } = await testContext();
    const raw = await rawOf(taken);
    const flipped = Buffer.from(raw);
    const at = flipped.indexOf('line 7\n');
    flipped[at] = (flipped[at] ?? 0) ^ 1;
    const damaged = incoming(taken, context).map((artifact) => ({
      ...artifact,
      async into(sink: Parameters<typeof artifact.into>[0]) {
        if (sink.kind !== 'reader') throw new Error('not read here');
        await sink.read(Readable.from([flipped]));
      },
    }));
    expect((await postgres.check(damaged, context, {})).facts).toMatchObject({ tables: { 'app.orders': 500 } });
    const hash = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
    expect(hash(flipped)).not.toBe(hash(raw));
  });
});

describe.each(['custom', 'directory'] as const)('several jobs with format %s', (format) => {
  test('restore what one would', async () => {
    const { taken, before } = await takeRich({ format, jobs: 3 });
    const { context } = await testContext();
    const destination = { ...server.target('copy'), jobs: 3 };
    await restore(postgresFixture, taken, destination, 'new', context);
    expect(await describeDatabase(server, 'copy')).toBe(before);
    await server.sql('rich', 'DROP TABLE app.log CASCADE');
    const rich = { ...server.target('rich'), jobs: 3 };
    const replaced = await restore(postgresFixture, taken, rich, 'replace', context);
    expect(replaced.facts).toEqual(taken.facts);
    expect(await readdir(context.workDir)).toEqual([]);
  });

  test('leave nothing when they are aborted', async () => {
    const { taken } = await takeRich({ format, jobs: 2 });
    const controller = new AbortController();
    const { context } = await testContext({ signal: controller.signal });
    const artifacts = incoming(taken, context).map((artifact) => ({
      ...artifact,
      async into(sink: Parameters<typeof artifact.into>[0]) {
        await artifact.into(sink);
        // Unpacked: the jobs are about to begin.
        setTimeout(() => controller.abort(), 50);
      },
    }));
    const request = { artifacts, skipConflicts: false, noOwner: false, expectedFacts: null, snapshot: SNAPSHOT };
    const destination = { ...server.target('copy'), jobs: 2 };
    const running = postgres.restore({ ...request, destination, mode: 'new', paths: [] }, context);
    await expect(running).rejects.toMatchObject({ code: 'interrupted' });
    expect(await server.databases()).toEqual(['rich']);
    expect(await readdir(context.workDir)).toEqual([]);
  });

  test('leave nothing where one of them fails', async () => {
    const { taken } = await takeRich({ format, jobs: 2 });
    const { context } = await testContext();
    const bin = await failingRestore();
    const destination = { ...server.target('copy'), jobs: 2, tools: bin };
    const failed = restore(postgresFixture, taken, destination, 'new', context);
    await expect(failed).rejects.toMatchObject({
      code: 'target',
      message: expect.stringContaining('division') as unknown,
    });
    expect(await server.databases()).toEqual(['rich']);
    expect(await readdir(context.workDir)).toEqual([]);
  });
});

/** A folder of tools whose pg_restore finds an error in the last thing that it does. */
async function failingRestore(): Promise<string> {
  const { folder } = await testContext();
  const bin = join(folder, 'bin');
  await mkdir(bin);
  const real = '/usr/lib/postgresql/15/bin';
  const script = `#!/bin/sh
case " $* " in *" --jobs=2 "*) '${real}/pg_restore' "$@"; echo "pg_restore: error: could not execute query: ERROR:  division by zero" >&2; exit 1;; esac
exec '${real}/pg_restore' "$@"
`;
  await writeFile(join(bin, 'pg_restore'), script);
  await chmod(join(bin, 'pg_restore'), 0o755);
  return bin;
}

test('a dump folder gives the same bytes whoever stores it, with its table of contents first', async () => {
  const { taken } = await takeRich({ format: 'directory', jobs: 2 });
  const raw = await rawOf(taken);
  const { folder } = await testContext();
  await writeFile(join(folder, 'a.tar'), raw);
  const listed = execFileSync('tar', ['-tvf', join(folder, 'a.tar'), '--numeric-owner'], { encoding: 'utf8' });
  const lines = listed.trim().split('\n');
  expect(lines[0]).toMatch(/ toc\.dat$/);
  expect(lines.length).toBeGreaterThan(10);
  for (const line of lines) expect(line).toMatch(/^-rw------- 0\/0 +\d+ 1970-01-01 00:00 [a-z0-9_.]+$/);
});
