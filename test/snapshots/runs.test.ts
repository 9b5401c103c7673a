import { expect, test } from 'vitest';
import { idAt, inventoryOf, testRunner } from './fixtures.ts';
import { aRun } from './run-fixture.ts';
import { RUNS } from '../../src/snapshots/keys.ts';
import type { Repository } from '../../src/repositories/repository.ts';
import type { RunRecord } from '../../src/snapshots/run-record.ts';
import { readRun, writeRun } from '../../src/snapshots/runs.ts';

import { forgetOld } from '../../src/snapshots/forget-old.ts';
import { addMark } from '../../src/snapshots/marks.ts';
import { openMemoryRepository } from '../repositories/memory-repository.ts';

async function listRuns(repository: Repository, backup: string): Promise<readonly RunRecord[]> {
  const runs = await Promise.all(
    (await repository.list(`${RUNS}${backup}/`, 'shallow')).map((key) => readRun(repository, key, '')),
  );
  return runs.filter((run) => run !== undefined);
}

const DAY = 86_400_000;
const runner = testRunner();
const idDaysAgo = (days: number): string => idAt(new Date(runner.clock.wall - days * DAY).toISOString());

test('a record is kept true until the run ends', async () => {
  const repository = openMemoryRepository();
  const running = aRun(idDaysAgo(0), {
    outcome: 'running',
    finishedAt: null,
    owedHooks: [['systemctl', 'start', 'kong']],
  });
  await writeRun(repository, running, {});
  expect(await listRuns(repository, 'kong')).toEqual([running]);
  const done = { ...running, outcome: 'done' as const, finishedAt: '2026-11-19T02:01:00Z', owedHooks: [] };
  await writeRun(repository, done, {});
  expect(await listRuns(repository, 'kong')).toEqual([done]);
});

test('records that cannot be read or lie under a wrong name are overlooked', async () => {
  const repository = openMemoryRepository();
  await writeRun(repository, aRun(idDaysAgo(1)), {});
  await repository.put(`runs/kong/${idDaysAgo(2)}.json`, Buffer.from('{'));
  await repository.put(`runs/kong/${idDaysAgo(3)}.json`, Buffer.from(JSON.stringify(aRun(idDaysAgo(4)))));
  await repository.put(
    `runs/kong/${idDaysAgo(5)}.json`,
    Buffer.from(JSON.stringify({ ...aRun(idDaysAgo(5)), formatVersion: 2 })),
  );
  expect(await listRuns(repository, 'kong')).toEqual([aRun(idDaysAgo(1))]);
});

test('records live 90 days, and longer while something depends on them', async () => {
  const repository = openMemoryRepository();
  const place = { reference: '/srv/app.db.old', target: 'db', into: {} };
  const setAside = [{ type: 'sqlite', ...place, host: 'runner-1', until: '2026-11-19T02:00:00Z' }];
  await writeRun(repository, aRun(idDaysAgo(89)), {});
  await writeRun(repository, aRun(idDaysAgo(91)), {});
  await writeRun(repository, aRun(idDaysAgo(92), { setAside }), {});
  await writeRun(repository, aRun(idDaysAgo(93), { owedHooks: [['systemctl', 'start', 'kong']] }), {});
  expect(await forgetOld(repository, 'kong', runner)).toBe(1);
  expect((await listRuns(repository, 'kong')).map((run) => run.id)).toEqual([93, 92, 89].map(idDaysAgo));
});

test('the inventory has those of its policy, oldest first', async () => {
  const repository = openMemoryRepository();
  await inventoryOf(repository, runner);
  await writeRun(repository, aRun(idDaysAgo(1)), {});
  await writeRun(repository, aRun(idDaysAgo(2)), {});
  await writeRun(repository, aRun(idDaysAgo(3), { policy: 'other' }), {});
  const { runs } = await inventoryOf(repository, runner);
  expect(runs.map(({ id }) => id)).toEqual([2, 1].map(idDaysAgo));
});

test('marks of what retention let go live 90 days; what a person decided, and what is still there, longer', async () => {
  const repository = openMemoryRepository();
  const past = testRunner();
  past.clock.wall -= 91 * DAY;
  const release = { backup: 'kong', policy: 'acme', kind: 'released' } as const;
  const [gone, young, destroyed, restored, present] = [101, 102, 103, 104, 105].map(idDaysAgo);
  for (const id of [gone ?? '', young ?? '', restored ?? '', present ?? '']) {
    await addMark(repository, { ...release, id, kind: 'verified', data: {} }, null, past);
    await addMark(repository, { ...release, id, data: { keys: [], reason: 'retention-exceeded' } }, null, past);
  }
  await addMark(repository, { ...release, id: young ?? '', kind: 'damaged', data: {} }, null, runner);
  await addMark(repository, { ...release, id: destroyed ?? '', data: { keys: [], reason: 'requested' } }, null, past);
  await addMark(
    repository,
    { ...release, id: restored ?? '', kind: 'restored', data: { restore: 'staging' } },
    null,
    past,
  );
  await repository.put(`snapshots/kong/${present}/db.db`, Buffer.from('x'));
  expect(await forgetOld(repository, 'kong', runner)).toBe(2);
  const left = (await repository.list('marks/', 'deep')).map((key) => key.split(/[/.]/)[2]);
  expect(new Set(left)).toEqual(new Set([present, restored, destroyed, young]));
});
