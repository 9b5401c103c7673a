import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { Context } from '../../../src/context.ts';
import type { PostgresTarget } from '../../../src/engines/postgres/server/connection.ts';
import { readPattern } from '../../../src/engines/postgres/server/name-patterns.ts';
import { postgres } from '../../../src/engines/postgres.ts';
import { testContext } from '../../test-context.ts';
import { postgresFixture } from '../postgres-fixture.ts';
import { newRepository, restore, take, type Taken } from '../workbench.ts';
import { useServer } from './restore-server.ts';

const server = useServer('se_');
beforeEach(server.dropAll);
afterAll(server.dropAll);

const SCHEMA = `
  CREATE SCHEMA app; CREATE SCHEMA "Odd.Schema"; CREATE SCHEMA scratch;
  CREATE TABLE app.orders (id serial PRIMARY KEY, what text); INSERT INTO app.orders (what) VALUES ('a'), ('b');
  CREATE TABLE app.log_a (n int); INSERT INTO app.log_a VALUES (1); CREATE TABLE app.log_b (n int);
  CREATE TABLE app.parts (n int) PARTITION BY RANGE (n);
  CREATE TABLE app.parts_1 PARTITION OF app.parts FOR VALUES FROM (0) TO (10);
  INSERT INTO app.parts VALUES (1), (2), (3);
  CREATE TABLE "Odd.Schema"."T*" (n int); INSERT INTO "Odd.Schema"."T*" VALUES (1);
  CREATE TABLE scratch.t (n int); INSERT INTO scratch.t VALUES (1);
  CREATE VIEW app.seen AS SELECT * FROM app.orders;
  SELECT lo_from_bytea(0, 'abc');`;

async function takeWith(filters: Partial<PostgresTarget>): Promise<Taken & { readonly context: Context }> {
  await server.dropAll();
  await server.sql('postgres', 'CREATE DATABASE se_from');
  await server.sql('from', SCHEMA);
  const { context, folder } = await testContext();
  const target = { ...server.target('from'), ...filters };
  return { ...(await take(postgresFixture, target, await newRepository(folder, context), context)), context };
}

const ORDERS = { 'app.orders': 2 };
const LOGS = { 'app.log_a': 1, 'app.log_b': 0 };
const ODD = { '"Odd.Schema"."T*"': 1 };

describe('filters', () => {
  test.each<readonly [Partial<PostgresTarget>, object, number]>([
    [{ schemas: ['app'] }, { ...LOGS, ...ORDERS, 'app.parts_1': 3 }, 0],
    [{ schemas: ['"Odd.Schema"', 'scr*'] }, { ...ODD, 'scratch.t': 1 }, 0],
    [{ excludeSchemas: ['app', 'scratch'] }, ODD, 1],
    [{ tables: ['app.log_?', 'app.orders'] }, { ...LOGS, ...ORDERS }, 0],
    [{ tables: ['app.parts'] }, { 'app.parts_1': 3 }, 0],
    [{ tables: ['"Odd.Schema"."T*"'] }, ODD, 0],
    [{ schemas: ['app'], excludeTables: ['log_*', 'app.parts'] }, ORDERS, 0],
    [{ excludeTables: ['app.orders', 'app.seen', 'app.parts'], excludeSchemas: ['scratch'] }, { ...ODD, ...LOGS }, 1],
    [{ excludeRows: ['app.parts', 'scratch.*'] }, { ...ODD, ...LOGS, ...ORDERS }, 1],
  ])('%j leave what they say, and it can be restored', async (filters, tables, largeObjects) => {
    const { context, ...taken } = await takeWith(filters);
    const { tables: counted, largeObjects: objects } = taken.facts;
    expect([counted, objects]).toEqual([tables, largeObjects]);
    if (filters.tables !== undefined) await server.sql('postgres', 'CREATE DATABASE se_copy');
    const isBare = filters.tables !== undefined;
    const copy = server.target('copy');
    if (isBare) await server.sql('copy', 'CREATE SCHEMA app; CREATE SCHEMA "Odd.Schema"');
    const restoring = restore(postgresFixture, taken, copy, isBare ? 'merge' : 'new', context);
    await expect(restoring).resolves.toMatchObject({ conflicts: [] });
    for (const [table, rows] of Object.entries(tables))
      expect(await server.sql('copy', `SELECT count(*) FROM ${table}`)).toBe(String(rows));
  });

  test.each<readonly [Partial<PostgresTarget>, string]>([
    [{ schemas: ['app', 'nowhere'] }, '`schemas` names "nowhere", which matches no schema'],
    [{ excludeSchemas: ['APP*'.toLowerCase() + 'x'] }, '`excludeSchemas` names "app*x", which matches no schema'],
    [{ tables: ['app.order'] }, '`tables` names "app.order", which matches no table'],
    [{ excludeTables: ['"App".orders'] }, '`excludeTables` names "\\"App\\".orders", which matches no table'],
    [{ excludeRows: ['nothing'] }, '`excludeRows` names "nothing", which matches no table'],
  ])('%j fail where they match nothing', async (filters, message) => {
    await server.sql('postgres', 'CREATE DATABASE se_from');
    await server.sql('from', SCHEMA);
    const { context } = await testContext();
    await expect(postgres.capture({ ...server.target('from'), ...filters }, context)).rejects.toMatchObject({
      code: 'target',
      message: `cannot capture se_from: ${message}`,
    });
  });

  test('warn of what they lose', async () => {
    await server.sql('postgres', 'CREATE DATABASE se_from');
    await server.sql('from', SCHEMA);
    const { context } = await testContext();
    const target = { ...server.target('from'), tables: ['app.orders'], excludeRows: ['app.orders'] };
    const capture = await postgres.capture(target, context);
    await capture.close();
    expect(capture.warnings).toEqual([
      'without types, functions, schemas, extensions and large objects: only the tables app.orders',
      'without the rows of app.orders',
    ]);
  });
});

test.each([
  ['a_b.c*', { schema: '^(a_b)$', name: '^(c.*)$' }],
  ['"A""b.c"', { schema: null, name: '^(A"b[.]c)$' }],
  ['T?', { schema: null, name: '^(t.)$' }],
  ['a$^[\\]', { schema: null, name: '^(a[$][\\^][\\[][\\\\][\\]])$' }],
])('pattern %s', (text, pattern) => {
  expect(readPattern(text)).toEqual(pattern);
});
