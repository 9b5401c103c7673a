import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { inspectPostgresDestination } from '../../../src/engines/postgres/restore/inspect-destination.ts';
import { postgresAsideExists, removePostgresAside } from '../../../src/engines/postgres/restore/set-aside.ts';
import { SNAPSHOT } from '../workbench.ts';
import { describeDatabase, restore } from './restore-bench.ts';
import { useServer } from './restore-server.ts';
import { takeRichOf, type TakenRich } from './take-rich.ts';

const server = useServer('rt_');

beforeEach(server.dropAll);
afterAll(server.dropAll);

const takeRich = (): Promise<TakenRich> => takeRichOf(server);

describe('a database of every kind of object', () => {
  test('comes back as a new one', async () => {
    const { taken, before, context } = await takeRich();
    const outcome = await restore(taken, server.target('copy'), 'new', context);
    expect(await describeDatabase(server, 'copy')).toBe(before);
    expect(outcome).toMatchObject({ facts: taken.facts, keptOld: [], conflicts: [], warnings: [] });
    expect(outcome.restored).toMatchObject({ 'table app.orders': 500 });
    expect(await server.databases()).toEqual(['copy', 'rich']);
    const second = restore(taken, server.target('copy'), 'new', context);
    await expect(second).rejects.toMatchObject({
      code: 'guard',
      hint: expect.stringContaining('--mode replace') as unknown,
    });
  });

  test('comes back into an empty one, which keeps its settings', async () => {
    const { taken, context } = await takeRich();
    await server.sql('postgres', 'CREATE DATABASE "rt_Empty One"');
    await server.sql('postgres', `ALTER DATABASE "rt_Empty One" SET work_mem TO '7MB'`);
    await restore(taken, server.target('Empty One'), 'new', context);
    expect(await server.sql('Empty One', 'SHOW work_mem; SELECT count(*) FROM app.orders')).toBe('7MB\n500');
    expect(await server.databases()).toEqual(['Empty One', 'rich']);
  });

  test('takes the place of what is there, which is kept', async () => {
    const { taken, before, context } = await takeRich();
    await server.sql('rich', `DELETE FROM app.orders WHERE id < 100; CREATE TABLE mine (v text)`);
    const changed = await describeDatabase(server, 'rich');
    const outcome = await restore(taken, server.target('rich'), 'replace', context);
    expect(await describeDatabase(server, 'rich')).toBe(before);
    const old = `rich_bkp_old_${SNAPSHOT}`;
    const reference = server.nameOf(old);
    expect(outcome).toMatchObject({ facts: taken.facts, keptOld: [{ type: 'postgres', reference }] });
    expect(await describeDatabase(server, old)).toBe(changed);

    const again = await restore(taken, server.target('rich'), 'replace', context);
    expect(again.keptOld).toEqual([{ type: 'postgres', reference: `${reference}.2` }]);
    expect(await describeDatabase(server, 'rich')).toBe(before);

    const aside = { type: 'postgres', reference, destination: server.target('rich') };
    expect(await postgresAsideExists(aside, context)).toBe(true);
    await removePostgresAside(aside, context);
    await removePostgresAside(aside, context);
    expect(await postgresAsideExists(aside, context)).toBe(false);
    expect(await server.databases()).toEqual(['rich', `${old}.2`]);
    for (const wrong of ['rich', 'postgres', '_bkp_old_x', `${old}; DROP`]) {
      await expect(removePostgresAside({ ...aside, reference: wrong }, context)).rejects.toMatchObject({
        code: 'target',
      });
    }
    await expect(removePostgresAside({ type: 'postgres', reference }, context)).rejects.toMatchObject({
      code: 'target',
    });
  });

  test('has a place that can be looked at', async () => {
    const { context } = await takeRich();
    await server.sql('postgres', 'DROP ROLE IF EXISTS rt_small');
    const look = async (database: string, changes: object = {}): Promise<unknown> =>
      inspectPostgresDestination({ ...server.target(database), ...changes }, context);
    expect(await look('nowhere')).toEqual({ state: 'absent', description: 'no such database', problems: [] });
    await server.sql('postgres', 'CREATE DATABASE rt_blank');
    expect(await look('blank')).toMatchObject({ state: 'empty', problems: [] });
    expect(await look('rich')).toMatchObject({
      state: 'occupied',
      description: expect.stringMatching(/^database with 21 tables, \d+(?:\.\d)? MiB$/) as unknown,
    });
    expect(await look('rich', { password: 'wrong' })).toMatchObject({ state: 'absent', problems: [{}] });
    expect(await look('rich', { port: 1 })).toMatchObject({ state: 'absent', problems: [{}] });
    await server.sql('postgres', `CREATE ROLE rt_small LOGIN PASSWORD 'rt_small'`);
    expect(await look('nowhere', { user: 'rt_small', password: 'rt_small' })).toMatchObject({
      problems: [{ hint: expect.stringContaining('CREATEDB') as unknown }],
    });
    await server.sql('postgres', 'DROP ROLE rt_small');
  });
});
