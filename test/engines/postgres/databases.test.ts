import { basename } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connect, type PostgresConfig, type Session } from '../../../src/engines/postgres/server/connection.ts';
import type { Context } from '../../../src/context.ts';
import { type HeldTogether, holdSnapshots } from '../../../src/engines/postgres/capture/held-snapshot.ts';
import { asDatabase } from '../../../src/engines/postgres/databases/list-databases.ts';
import { postgres } from '../../../src/engines/postgres.ts';
import { testContext } from '../../test-context.ts';
import { postgresFixture } from '../postgres-fixture.ts';
import { incoming, newRepository, restore, take, type Taken } from '../workbench.ts';
import { type OwnServer, startOwnServer } from './own-server.ts';

let server: OwnServer;
beforeAll(async () => {
  server = await startOwnServer();
});
afterAll(() => server.stop());

beforeEach(() => {
  const others = server.sql('postgres', `SELECT quote_ident(datname) FROM pg_database WHERE oid >= 16384`).split('\n');
  for (const name of others.filter(Boolean)) server.sql('postgres', `DROP DATABASE ${name} WITH (FORCE)`);
  for (const name of ['kong', 'audit', 'Odd Name', 'scratch_1', 'scratch_2']) {
    server.sql('postgres', `CREATE DATABASE "${name}"`);
    server.sql(name, `CREATE TABLE rows (who text); INSERT INTO rows SELECT '${name}' FROM generate_series(1, 5)`);
  }
});

describe('several databases of one server', () => {
  test('are captured from one moment and come back', async () => {
    const { context, folder } = await testContext();
    const target: PostgresConfig = { ...server.config, databases: ['kong', 'Odd Name'] };
    const taken = await take(postgresFixture, target, await newRepository(folder, context), context);
    expect(taken.artifacts.map(({ name, format }) => [name, format])).toEqual([
      ['kong', 'pg-custom'],
      ['Odd Name', 'pg-custom'],
    ]);
    expect(taken.facts).toMatchObject({
      tables: { kong: { 'public.rows': 5 }, 'Odd Name': { 'public.rows': 5 } },
      largeObjects: { kong: 0 },
      moment: { exact: true, withinMs: 0 },
    });
    const { facts } = await postgres.check(incoming(taken, context), context, {});
    expect(taken.facts).toMatchObject(facts);

    await expect(restore(postgresFixture, taken, target, 'new', context)).rejects.toMatchObject({ code: 'guard' });
    server.sql('postgres', 'DROP DATABASE kong');
    const look = await postgres.inspectDestination(target, context);
    expect(look).toMatchObject({ state: 'occupied', description: expect.stringContaining('kong: no such database') });
    server.sql('Odd Name', 'DELETE FROM rows');
    const outcome = await restore(postgresFixture, taken, target, 'replace', context);
    expect(outcome.restored).toEqual({ 'kong: table public.rows': 5, 'Odd Name: table public.rows': 5 });
    expect(outcome.keptOld).toEqual([{ type: 'postgres', reference: expect.stringMatching(/^Odd Name_bkp_old_/) }]);
    expect(server.sql('kong', 'SELECT count(*), min(who) FROM rows')).toBe('5|kong');
    expect(server.sql('Odd Name', 'SELECT count(*) FROM rows')).toBe('5');
  });

  test('come back one by one, also under another name', async () => {
    const { context, folder } = await testContext();
    const target: PostgresConfig = { ...server.config, databases: ['kong', 'audit'] };
    const taken = await take(postgresFixture, target, await newRepository(folder, context), context);
    const request = {
      mode: 'new',
      artifacts: incoming(taken, context),
      skipConflicts: false,
      noOwner: false,
      expectedFacts: taken.facts,
      snapshot: '20261119T020000Z-k3x9q2aa',
    } as const;
    const destination = { ...target, database: 'kong_copy' };
    await expect(postgres.restore({ ...request, destination, paths: [] }, context)).rejects.toMatchObject({
      code: 'usage',
      message: 'cannot restore 2 databases into one',
    });
    await expect(postgres.restore({ ...request, destination, paths: ['nothing'] }, context)).rejects.toMatchObject({
      code: 'not-found',
      hint: expect.stringContaining('it has kong, audit'),
    });
    await postgres.restore({ ...request, destination, paths: ['kong'] }, context);
    expect(server.sql('kong_copy', 'SELECT min(who) FROM rows')).toBe('kong');
  });

  test('one that cannot come back does not keep the others away', async () => {
    const { context, folder } = await testContext();
    const target: PostgresConfig = { ...server.config, databases: ['kong', 'audit'] };
    const taken = await take(postgresFixture, target, await newRepository(folder, context), context);
    const facts = { ...taken.facts, tables: { kong: { 'public.rows': 6 }, audit: { 'public.rows': 5 } } };
    const outcome = await restore(postgresFixture, { ...taken, facts }, target, 'replace', context);
    expect(outcome.conflicts).toEqual([expect.stringMatching(/^database kong is as it was: .*what came back is not/)]);
    expect(outcome.restored).toEqual({ 'audit: table public.rows': 5 });
  });

  test('of which one is missing are not captured', async () => {
    const { context } = await testContext();
    const target: PostgresConfig = { ...server.config, databases: ['kong', 'nowhere'] };
    await expect(postgres.capture(target, context)).rejects.toMatchObject({
      message: 'cannot capture nowhere: no such database',
    });
    expect((await postgres.probe(target, context)).problems).toMatchObject([
      { message: 'cannot capture nowhere: no such database' },
    ]);
  });

  test('all of them, without what is excluded, set aside or half built', async () => {
    const { context } = await testContext();
    server.sql('postgres', 'CREATE DATABASE "kong_bkp_old_20261119T020000Z-k3x9q2aa"');
    server.sql('postgres', 'CREATE DATABASE kong_bkp_new_k3x9q2aa');
    server.sql('postgres', `COMMENT ON DATABASE kong_bkp_new_k3x9q2aa IS 'bkp restore into "kong", unfinished'`);
    const names = async (changes: object): Promise<unknown> => {
      const capture = await postgres.capture({ ...server.config, databases: 'all', ...changes }, context);
      await capture.close();
      return capture.artifacts.map(({ name }) => name);
    };
    expect(await names({})).toEqual(['Odd Name', 'audit', 'kong', 'postgres', 'scratch_1', 'scratch_2']);
    expect(await names({ excludeDatabases: ['scratch_*', 'postgres'] })).toEqual(['Odd Name', 'audit', 'kong']);
    await expect(names({ excludeDatabases: ['scratsh_*'] })).rejects.toMatchObject({
      message: 'cannot capture all databases: `excludeDatabases` names "scratsh_*", which matches none',
    });
  });
});

describe('snapshots of several databases', () => {
  /** Somebody commits between the two snapshots, the first few times. */
  async function holdWhileWriting(writes: number): Promise<HeldTogether> {
    const { context } = await testContext();
    const [one, other] = [
      await connect(asDatabase(server.config, 'kong'), context),
      await connect(asDatabase(server.config, 'audit'), context),
    ];
    let left = writes;
    const late: Session = {
      ...other,
      query: async (sql, values) => {
        if (sql.startsWith('BEGIN') && left > 0) {
          left -= 1;
          await setTimeout(20);
          server.sql('kong', `INSERT INTO rows VALUES ('more')`);
        }
        return other.query(sql, values);
      },
    };
    try {
      return await holdSnapshots([one, late], context);
    } finally {
      await one.close();
      await other.close();
    }
  }

  test('are taken again until all see the same', async () => {
    expect((await holdWhileWriting(3)).isOneMoment).toBe(true);
  });

  test('tell that they differ where somebody always writes', async () => {
    const held = await holdWhileWriting(Infinity);
    expect(held.isOneMoment).toBe(false);
    expect(new Set(held.snapshots.map(({ sees }) => sees)).size).toBe(2);
    expect(held.between[1].getTime()).toBeGreaterThan(held.between[0].getTime());
  });
});

test('programs are asked for their version once in a run, however many databases there are', async () => {
  const { context: own, folder } = await testContext();
  const asked: string[] = [];
  const context: Context = {
    ...own,
    run: (process, options) => {
      if (process.argv.includes('--version')) asked.push(process.argv[0]);
      return own.run(process, options);
    },
  };
  const { tools: _tools, ...config } = server.config;
  const target: PostgresConfig = { ...config, databases: ['kong', 'audit', 'Odd Name'], globals: true };
  const ofRun = async (run: () => Promise<unknown>): Promise<readonly string[]> => {
    asked.length = 0;
    await run();
    return asked.toSorted();
  };
  const onceEach = async (run: () => Promise<unknown>, ...tools: readonly string[]): Promise<void> => {
    const programs = await ofRun(run);
    expect(programs).toEqual([...new Set(programs)]);
    expect([...new Set(programs.map((program) => basename(program)))]).toEqual(tools);
  };
  const repository = await newRepository(folder, context);
  let taken: Taken | undefined;
  await onceEach(() => postgres.probe(target, context), 'pg_dump');
  await onceEach(
    async () => (taken = await take(postgresFixture, target, repository, context)),
    'pg_dump',
    'pg_dumpall',
  );
  if (taken === undefined) throw new Error('nothing was taken');
  const snapshot = taken;
  await onceEach(() => postgres.check(incoming(snapshot, context), context, target), 'pg_restore');
  await onceEach(() => restore(postgresFixture, snapshot, target, 'replace', context), 'pg_restore');
});
