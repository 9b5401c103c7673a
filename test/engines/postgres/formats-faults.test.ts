import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { IncomingArtifact } from '../../../src/engines/engine.ts';
import { postgres } from '../../../src/engines/postgres.ts';
import { connectPatiently } from '../../../src/engines/postgres/server/admin-session.ts';
import { fillDatabase } from '../../../src/engines/postgres/restore/fill.ts';
import { connectionOf } from '../../services/connection.ts';
import { testContext } from '../../test-context.ts';
import { type Format, postgresFixture } from '../postgres-fixture.ts';
import { incoming, newRepository, SNAPSHOT, take } from '../workbench.ts';
import { run } from './dump-fixture.ts';
import { useServer } from './restore-server.ts';

const server = useServer('ff_');
const connection = connectionOf('postgres-15');
const PG_RESTORE = '/usr/lib/postgresql/15/bin/pg_restore';

beforeEach(server.dropAll);
afterAll(server.dropAll);

async function makeSource(): Promise<void> {
  await server.sql('postgres', `CREATE DATABASE "${server.nameOf('source')}"`);
  await server.sql(
    'source',
    'CREATE TABLE first (a int); CREATE TABLE second (a int); INSERT INTO first VALUES (1), (2)',
  );
}

/** An artifact of bytes that no store holds. */
const artifactOf = (format: Format, bytes: Buffer): IncomingArtifact => ({
  name: '',
  format: `pg-${format}`,
  rawBytes: bytes.length,
  async into(sink) {
    if (sink.kind !== 'reader') throw new Error('these bytes can only be read');
    await sink.read(Readable.from([bytes]));
  },
});

const requestFor = (artifact: IncomingArtifact, database: string) => ({
  destination: server.target(database),
  mode: 'new' as const,
  artifacts: [artifact],
  paths: [],
  skipConflicts: false,
  noOwner: false,
  expectedFacts: null,
  snapshot: SNAPSHOT,
});

describe('an empty database that is filled in place', () => {
  test.each(['plain', 'tar'] as const)(
    'stays empty where a dump as %s is cut between two statements',
    async (format) => {
      const { context } = await testContext();
      await makeSource();
      await server.sql('postgres', `CREATE DATABASE "${server.nameOf('empty')}"`);
      const whole = run(connection, 'pg_dump', `--format=${format}`, '-d', server.nameOf('source'));
      const cut = format === 'plain' ? whole.lastIndexOf('\n--\n-- Name: second') : whole.lastIndexOf('ustar') - 257;
      const fill = (bytes: Buffer): Promise<void> =>
        fillDatabase(requestFor(artifactOf(format, bytes), 'empty'), server.nameOf('empty'), PG_RESTORE, context);
      await expect(fill(whole.subarray(0, cut))).rejects.toMatchObject({ code: 'integrity' });
      expect(await server.sql('empty', `SELECT count(*) FROM pg_class WHERE relname IN ('first', 'second')`)).toBe('0');
      await fill(whole);
      expect(await server.sql('empty', 'SELECT count(*) FROM first; SELECT count(*) FROM second')).toBe('2\n0');
    },
  );

  test('stays empty where a statement of a script fails, and the reason holds no row', async () => {
    const { context } = await testContext();
    await makeSource();
    await server.sql('postgres', `CREATE DATABASE "${server.nameOf('empty')}"`);
    const whole = run(connection, 'pg_dump', '--format=plain', '-d', server.nameOf('source')).toString('utf8');
    const wrong = Buffer.from(whole.replace('\n1\n2\n', '\n1\nsecret row\n'));
    const filled = fillDatabase(
      requestFor(artifactOf('plain', wrong), 'empty'),
      server.nameOf('empty'),
      PG_RESTORE,
      context,
    );
    await expect(filled).rejects.toMatchObject({
      code: 'target',
      message: expect.stringMatching(/^cannot restore with psql: invalid input syntax for type integer/) as unknown,
    });
    expect(await server.sql('empty', `SELECT count(*) FROM pg_class WHERE relname IN ('first', 'second')`)).toBe('0');
  });
});

test('a script that was dumped by hand comes back whole, and only whole', async () => {
  const { context } = await testContext();
  await makeSource();
  const script = run(connection, 'pg_dump', '--format=plain', '-d', server.nameOf('source'));
  const artifact = artifactOf('plain', script);
  expect(postgres.adoptedFormat?.({ ...server.target('source'), format: 'plain' })).toBe('pg-plain');
  expect(await postgres.check([artifact], context, {})).toMatchObject({
    facts: { tables: { 'public.first': 2, 'public.second': 0 }, largeObjects: 0 },
  });
  await postgres.restore(requestFor(artifact, 'copy'), context);
  expect(await server.sql('copy', 'SELECT count(*) FROM first')).toBe('2');
  await server.sql('copy', 'DROP TABLE second');
  const merge = { ...requestFor(artifact, 'copy'), mode: 'merge' } as const;
  const refusal = { code: 'target', message: 'cannot take a part of the script: its objects have no numbers' };
  await expect(postgres.assertRestorable?.(merge, context)).rejects.toMatchObject(refusal);
  await expect(postgres.restore(merge, context)).rejects.toMatchObject(refusal);
});

test.each(['custom', 'tar', 'directory'] as const)(
  'a pg_restore that is too old for a dump as %s does not condemn it',
  async (format) => {
    const { context, folder } = await testContext();
    await makeSource();
    const target = { ...server.target('source'), format };
    const taken = await take(postgresFixture, target, await newRepository(folder, context), context);
    const tools = join(folder, 'bin');
    await mkdir(tools);
    // It calls itself the newest, so that it is taken, and only because the target names its folder.
    const script = `#!/bin/sh
case "$1" in --version) echo "pg_restore (PostgreSQL) 99.1"; exit 0;; esac
echo "pg_restore: error: unsupported version (1.99) in file header" >&2
exit 1
`;
    await writeFile(join(tools, 'pg_restore'), script);
    await chmod(join(tools, 'pg_restore'), 0o755);
    await expect(postgres.check(incoming(taken, context), context, { tools })).rejects.toMatchObject({
      code: 'tool',
      message: expect.stringContaining('unsupported version (1.99)') as unknown,
      hint: expect.stringContaining('install postgresql-client') as unknown,
    });
    expect((await postgres.check(incoming(taken, context), context, {})).facts).toMatchObject({
      tables: { 'public.first': 2 },
    });
    expect(await readdir(context.workDir)).toEqual([]);
  },
);

test('a folder that cannot be dumped leaves nothing behind', async () => {
  const { context, folder } = await testContext();
  await makeSource();
  const repository = await newRepository(folder, context);
  const session = await connectPatiently(server.target('source'), context, server.nameOf('source'));
  await session.query('BEGIN');
  await session.query('LOCK TABLE second IN ACCESS EXCLUSIVE MODE');
  const target = {
    ...server.target('source'),
    format: 'directory',
    jobs: 2,
    lockTimeout: '1s',
    checks: 'fast',
  } as const;
  await expect(take(postgresFixture, target, repository, context)).rejects.toMatchObject({
    code: 'target',
    message: expect.stringMatching(/^cannot dump database .*: a table stayed locked$/) as unknown,
    hint: expect.stringContaining('lockTimeout') as unknown,
  });
  await session.close();
  expect(await readdir(context.workDir)).toEqual([]);
  expect(await repository.list('', 'deep')).toEqual([]);
});
