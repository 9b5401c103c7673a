import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isFullSet } from '../../services/suites.ts';
import { explore } from './explore.ts';
import { movesOf, type Bounds, type Used, usedAfter } from './moves.ts';
import { beginPlanned, plannedObjects, type PlannedOptions } from './planned-trials.ts';
import { applying } from './planned-world.ts';
import { idOf, LEASE_MS, TICK } from './work.ts';

const STARTS = Date.parse(TICK) + 300_000;
const TEN_MINUTES = 600_000;
const objects = await plannedObjects();

const trial = (
  skewsMs: readonly number[],
  pollMs: number,
  keepLast: number,
  parts: Partial<PlannedOptions> = {},
): PlannedOptions => ({
  keepLast,
  skewsMs,
  startsAt: new Date(STARTS).toISOString(),
  perTick: skewsMs.length,
  objects,
  works: skewsMs.map((skew, seed) => {
    const id = idOf(new Date(STARTS + skew + seed).toISOString(), seed);
    return applying({ id, seed, pollMs, keepLast });
  }),
  ...parts,
});

const ASLEEP: Bounds = { passes: 1, kills: 0, deafens: 0, turns: 0, stepMs: LEASE_MS, renewsInTime: false };

test.each<[string, Bounds]>([
  ['of which one sleeps past its lease', ASLEEP],
  ['of which one dies', { ...ASLEEP, passes: 0, kills: 1 }],
  ['of which one hears no answer', { ...ASLEEP, passes: 0, deafens: 1 }],
])('whatever their order, two runners that plan and prune, %s, lose nothing', async (_, bounds) => {
  const options = trial([0, TEN_MINUTES], LEASE_MS, 1, { readsAtOnce: true });
  const { ends } = await explore(() => beginPlanned(options), bounds);
  expect(ends).toBeGreaterThan(5);
});

/** Goes one way through a trial, as the choices say; early on everything may happen, later nobody sleeps any more. */
async function goThrough(
  choices: readonly number[],
  skewsMs: readonly number[],
  parts: Pick<PlannedOptions, 'keepsDeleteMarkers' | 'keepLast'> & { readonly renewsInTime: boolean },
): Promise<void> {
  const { renewsInTime } = parts;
  const stepMs = renewsInTime ? LEASE_MS / 3 : LEASE_MS;
  const harm = renewsInTime ? 0 : 1;
  const bounds: Bounds = { passes: 12, kills: harm, deafens: 3 * harm, turns: Infinity, stepMs, renewsInTime };
  const { world, look, end } = beginPlanned(
    trial(skewsMs, stepMs, parts.keepLast, { ...parts, perTick: renewsInTime ? 1 : skewsMs.length }),
  );
  let used: Used = { pass: 0, kill: 0, deafen: 0, turns: 0, last: null };
  await world.settle();
  for (let step = 0; ; step += 1) {
    const moves = movesOf(world, bounds, used);
    const move = moves[(choices[step % choices.length] ?? 0) % Math.max(1, moves.length)];
    if (move === undefined) break;
    used = usedAfter(world, used, move);
    const before = world.store.writes + world.store.objects.size;
    await move.make();
    await world.settle();
    if (before !== world.store.writes + world.store.objects.size) await look();
  }
  await end();
}

test('four runners that plan and prune, with clocks apart, asleep, dying and unheard, lose nothing', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(), { minLength: 200, maxLength: 600 }),
      fc.array(fc.integer({ min: -TEN_MINUTES, max: TEN_MINUTES }), { minLength: 4, maxLength: 4 }),
      fc.record({
        keepLast: fc.integer({ min: 1, max: 2 }),
        renewsInTime: fc.boolean(),
        keepsDeleteMarkers: fc.boolean(),
      }),
      goThrough,
    ),
    { numRuns: isFullSet() ? 1500 : 150 },
  );
});
