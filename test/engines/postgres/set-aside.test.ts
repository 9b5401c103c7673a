import pg from 'pg';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { postgresAsideExists, removePostgresAside } from '../../../src/engines/postgres/restore/set-aside.ts';
import { testContext } from '../../test-context.ts';
import { SNAPSHOT } from '../workbench.ts';
import { useServer } from './restore-server.ts';

const server = useServer('ra_');

beforeEach(server.dropAll);
afterAll(server.dropAll);

test('an old database goes although clients are connected to it and come back', async () => {
  const { context } = await testContext();
  const reference = server.nameOf(`db_bkp_old_${SNAPSHOT}`);
  await server.sql('postgres', `CREATE DATABASE "${reference}"`);
  const { host, port, user, password } = server.target('db');
  let lost = 0;
  let stopped = false;
  const client = async (onConnected: () => void): Promise<void> => {
    while (!stopped) {
      const connection = new pg.Client({ host, port, user, password, database: reference });
      connection.on('error', () => undefined);
      try {
        await connection.connect();
        onConnected();
        for (;;) await connection.query('SELECT pg_sleep(0.01)');
      } catch {
        lost += 1;
      } finally {
        await connection.end().catch(() => undefined);
      }
    }
  };
  const clients: Promise<void>[] = [];
  await new Promise<void>((resolve) => void clients.push(client(resolve)));
  const old = { type: 'postgres', reference, destination: server.target('db') };
  try {
    expect(await postgresAsideExists(old, context)).toBe(true);
    await removePostgresAside(old, context);
  } finally {
    stopped = true;
    await Promise.all(clients);
  }
  expect(lost).toBeGreaterThan(0);
  expect(await postgresAsideExists(old, context)).toBe(false);
});
