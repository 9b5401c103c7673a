import { expect, test } from 'vitest';
import { planPolicy } from '../../../src/reconcile/plan-policy.ts';
import { withStoreTime } from '../../../src/reconcile/store-time.ts';
import type { Plan } from '../../../src/reconcile/step.ts';
import { INDEX_KEY } from '../../../src/snapshots/keys.ts';
import { withTestSession } from '../edge.ts';
import { SNAPSHOTS, worldWithStore } from './store-world.ts';

const MINUTE = 60_000;

/** A plan without what tells how long ago something was: seconds pass between two. */
function timeless({ steps, keep, withheld, summary, errors }: Plan): string {
  const text = JSON.stringify({ steps, keep, withheld, summary, errors });
  return text.replaceAll(/\d+[smhd] (?=ago|late|old)|"lateSeconds":\d+/g, '');
}

test('machines with cold caches whose clocks are 20 minutes apart plan the same, with an index and without', async () => {
  const { world, repository } = await worldWithStore('keepLast: 15, daily: 5');
  let machines = 0;
  const planOn = (offMs: number): Promise<Plan> =>
    withTestSession(
      { policy: world.policy, cacheDir: world.path(`cache-${++machines}`), clockOffsetMs: offMs },
      async (session) => planPolicy(await withStoreTime(session), {}),
    );
  const without = [await planOn(10 * MINUTE), await planOn(-10 * MINUTE)];
  const said = JSON.parse((await world.bkp('catalog', 'rebuild', '--repository', 'nas', '--format', 'json')).out) as {
    readonly rebuilt: readonly { readonly indexBytes: number }[];
  };
  expect(said).toEqual({
    formatVersion: 1,
    rebuilt: [{ repository: 'nas', snapshots: SNAPSHOTS, indexBytes: expect.any(Number) }],
  });
  expect((await repository.stat(INDEX_KEY))?.bytes).toBe(said.rebuilt[0]?.indexBytes);
  const withIndex = [await planOn(10 * MINUTE), await planOn(-10 * MINUTE)];
  const [first, ...others] = [...without, ...withIndex].map(timeless);
  expect(without[0]?.summary.prune).toBeGreaterThan(0);
  for (const other of others) expect(other).toBe(first);
  for (const [index, { warnings }] of [...without, ...withIndex].entries())
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringMatching(
        index % 2 === 0 ? / (10|9)m( \d+s)? ahead of that of nas/ : / (10|9)m( \d+s)? behind that of nas/,
      ),
    ]);
});
