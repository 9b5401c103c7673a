import { afterAll, beforeEach, expect, test } from 'vitest';
import { testContext } from '../../test-context.ts';
import { postgresFixture } from '../postgres-fixture.ts';
import { newRepository, restore, take } from '../workbench.ts';
import { useServer } from './restore-server.ts';
import { RICH, RICH_ROLES } from './rich-database.ts';

const server = useServer('ha_');
beforeEach(server.dropAll);
afterAll(server.dropAll);

test('hashes of rows tell a change that leaves their number, and are the same after a restore', async () => {
  await server.sql('postgres', RICH_ROLES);
  await server.sql('postgres', 'CREATE DATABASE ha_rich');
  await server.sql('rich', RICH);
  const { context, folder } = await testContext();
  const repository = await newRepository(folder, context);
  const target = { ...server.target('rich'), hash: true };
  const taken = await take(postgresFixture, target, repository, context);
  const hashes = taken.facts['hashes'] as Readonly<Record<string, string>>;
  expect(Object.keys(hashes)).toEqual(Object.keys(taken.facts['tables'] ?? {}));
  expect(hashes['app.customers']).toMatch(/^-?\d{10,}$/);

  await server.sql('postgres', `ALTER DATABASE ha_rich SET datestyle TO 'German'`);
  await server.sql('postgres', `ALTER DATABASE ha_rich SET search_path TO app`);
  expect((await take(postgresFixture, target, await newRepository(`${folder}/2`, context), context)).facts).toEqual(
    taken.facts,
  );

  const outcome = await restore(postgresFixture, taken, { ...target, ...server.target('copy') }, 'new', context);
  expect(outcome.facts).toMatchObject({ hashes });

  await server.sql('rich', 'UPDATE app.orders SET amount = amount + 1 WHERE id = 7');
  const changed = await take(postgresFixture, target, await newRepository(`${folder}/3`, context), context);
  expect(changed.facts).toMatchObject({ tables: { 'app.orders': 500 } });
  expect(changed.facts['hashes']).not.toEqual(hashes);
  const mixed = { ...taken, facts: { ...taken.facts, hashes: changed.facts['hashes'] ?? null } };
  await expect(restore(postgresFixture, mixed, server.target('other'), 'new', context)).rejects.toMatchObject({
    code: 'integrity',
    message: expect.stringMatching(/what came back is not what was captured: hashes\.app\.orders is/),
  });
});
