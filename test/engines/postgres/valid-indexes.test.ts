import { afterAll, expect, test } from 'vitest';
import { assertIndexesServe } from '../../../src/engines/postgres/restore/valid-indexes.ts';
import { connect } from '../../../src/engines/postgres/server/connection.ts';
import { testContext } from '../../test-context.ts';
import { useServer } from './restore-server.ts';

const server = useServer('vi_');
afterAll(server.dropAll);

test('an index that does not serve is not called restored', async () => {
  await server.dropAll();
  await server.sql('postgres', 'CREATE DATABASE vi_indexes');
  await server.sql('indexes', 'CREATE TABLE t (a int PRIMARY KEY, b int); CREATE INDEX t_b ON t (b)');
  const { context } = await testContext();
  const session = await connect(server.target('indexes'), context);
  try {
    await assertIndexesServe(session, 'indexes');
    await server.sql('indexes', `UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_b'::regclass`);
    await expect(assertIndexesServe(session, 'indexes')).rejects.toMatchObject({
      code: 'integrity',
      message: 'cannot restore database indexes: indexes are not valid: public.t_b',
    });
  } finally {
    await session.close();
  }
});
