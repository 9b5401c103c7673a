import { rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Plan } from '../../../src/reconcile/step.ts';
import { forgeIndex } from '../../snapshots/forge-index.ts';
import { SNAPSHOTS, worldWithStore } from './store-world.ts';

test('an index that lies may lead to a plan that deletes, and to no deletion', async () => {
  const { world, repository } = await worldWithStore('daily: 365');
  const before = await repository.list('manifests/', 'deep');
  expect((await world.bkp('catalog', 'rebuild', '--repository', 'nas')).code).toBe(0);
  // Partial snapshots go once a newer one is whole.
  await forgeIndex(repository, ([head = {}, ...lines]) => {
    let lies = 0;
    const lie = (word: string): string => (++lies <= 5 ? '"partial"' : word);
    return [head, ...lines.map((line) => JSON.parse(JSON.stringify(line).replaceAll('"created"', lie)) as typeof line)];
  });
  rmSync(world.cacheDir, { recursive: true });
  const plan = JSON.parse((await world.bkp('plan', '--only', 'prune', '--format', 'json')).out) as Plan;
  expect(plan.summary.prune).toBe(5);
  const said = await world.bkp('apply', '--yes', '--only', 'prune');
  expect(said.code, said.err).toBe(0);
  expect(await repository.list('manifests/', 'deep')).toEqual(before);
  expect(before).toHaveLength(SNAPSHOTS);
  // What was read for it stays known, so the lie is over for this machine.
  const again = JSON.parse((await world.bkp('plan', '--only', 'prune', '--format', 'json')).out) as Plan;
  expect(again.summary.prune).toBe(0);
});
