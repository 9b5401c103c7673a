import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { Context } from '../../../src/context.ts';
import type { PostgresTarget } from '../../../src/engines/postgres/server/connection.ts';
import { testContext } from '../../test-context.ts';
import { dump, type Dump, restore } from './restore-bench.ts';
import { useServer } from './restore-server.ts';

const server = useServer('sb_');

const DROP = ['feed', '"Odd feed"', 'idle']
  .map(
    (name) =>
      `ALTER SUBSCRIPTION ${name} DISABLE; ALTER SUBSCRIPTION ${name} SET (slot_name = NONE); DROP SUBSCRIPTION ${name}`,
  )
  .join(';');

/** No database with subscriptions can be dropped. */
async function dropAll(): Promise<void> {
  for (const name of await server.databases())
    if ((await server.sql(name, SUBSCRIPTIONS)) !== '') await server.sql(name, DROP);
  await server.dropAll();
  await server.sql('postgres', 'DROP ROLE IF EXISTS sb_maker');
}

const SUBSCRIPTIONS = `SELECT subname, subenabled FROM pg_subscription
  WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY 1`;

beforeEach(dropAll);
afterAll(dropAll);

interface Subscribed {
  readonly taken: Dump;
  readonly target: PostgresTarget;
  readonly context: Context;
}

/** A database with two subscriptions that are under way, although their publisher refuses them, and one that is not. */
async function takeSubscriber(): Promise<Subscribed> {
  const { context, folder } = await testContext();
  const target = server.target('db');
  await server.sql('postgres', 'CREATE DATABASE sb_db');
  await server.sql('db', 'CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1)');
  const from = `CONNECTION 'host=${target.host} port=${target.port} dbname=sb_nowhere' PUBLICATION p WITH (connect = false)`;
  await server.sql(
    'db',
    `SET client_min_messages = error; CREATE SUBSCRIPTION feed ${from}; CREATE SUBSCRIPTION "Odd feed" ${from}; CREATE SUBSCRIPTION idle ${from}`,
  );
  const taken = await dump(target, context, folder);
  await server.sql(
    'db',
    'ALTER SUBSCRIPTION feed ENABLE; ALTER SUBSCRIPTION "Odd feed" ENABLE; INSERT INTO t VALUES (2)',
  );
  return { taken, target, context };
}

describe('subscriptions of a database that is set aside', () => {
  test('are disabled there and told, by name', async () => {
    const { taken, target, context } = await takeSubscriber();
    const { warnings, keptOld } = await restore(taken, target, 'replace', context);
    const [{ reference } = { reference: '' }] = keptOld;
    expect(warnings).toEqual([
      expect.stringMatching(
        /^subscription Odd feed was disabled in database sb_db_bkp_old_.*ALTER SUBSCRIPTION "Odd feed" ENABLE/,
      ),
      expect.stringMatching(/^subscription feed was disabled .*DROP SUBSCRIPTION "feed"$/),
      expect.stringContaining('subscriptions were left out'),
    ]);
    expect(await server.sql('db', `SELECT a FROM t; ${SUBSCRIPTIONS}`)).toBe('1');
    expect(await server.sql(reference.slice('sb_'.length), SUBSCRIPTIONS)).toBe('Odd feed|f\nfeed|f\nidle|f');
  });

  test('are told with the statement where the user may not disable them', async () => {
    const { taken, context } = await takeSubscriber();
    await server.sql(
      'postgres',
      `CREATE ROLE sb_maker LOGIN CREATEDB PASSWORD 'sb_maker'; GRANT pg_signal_backend TO sb_maker; ALTER DATABASE sb_db OWNER TO sb_maker`,
    );
    await server.sql('db', 'ALTER TABLE t OWNER TO sb_maker');
    const target = server.target('db', 'sb_maker');
    const { warnings, keptOld } = await restore(taken, target, 'replace', context, { noOwner: true });
    expect(warnings[0]).toMatch(
      /^subscription Odd feed still changes database sb_db_bkp_old_.* \(.*must be owner of subscription Odd feed\): connect to it and run ALTER SUBSCRIPTION "Odd feed" DISABLE$/,
    );
    expect(warnings[1]).toContain('ALTER SUBSCRIPTION "feed" DISABLE');
    const [{ reference } = { reference: '' }] = keptOld;
    expect(await server.sql(reference.slice('sb_'.length), SUBSCRIPTIONS)).toBe('Odd feed|t\nfeed|t\nidle|f');
  });

  test('stay under way where the restore fails', async () => {
    const { taken, target, context } = await takeSubscriber();
    const accept = async (): Promise<void> => {
      throw new Error('not accepted');
    };
    await expect(restore(taken, target, 'replace', context, { accept })).rejects.toThrow('not accepted');
    expect(await server.sql('db', SUBSCRIPTIONS)).toBe('Odd feed|t\nfeed|t\nidle|f');
  });
});
