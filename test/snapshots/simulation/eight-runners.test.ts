import fc from 'fast-check';
import { test } from 'vitest';
import { isFullSet } from '../../services/suites.ts';
import { movesOf, type Bounds, type Used, usedAfter } from './moves.ts';
import { beginTrial, objectsAfter, OLD, storeOld } from './trials.ts';
import { capturing, idOf, LEASE_MS, TICK } from './work.ts';

const STARTS = Date.parse(TICK) + 300_000;
const TEN_MINUTES = 600_000;
const objects = await objectsAfter(storeOld);

/** Goes one way through a trial, as the choices say; early on everything may happen, later nobody sleeps any more. */
async function goThrough(choices: readonly number[], skewsMs: readonly number[], options: Options): Promise<void> {
  const pollMs = options.renewsInTime ? LEASE_MS / 3 : LEASE_MS;
  const idAt = (index: number): string => idOf(new Date(STARTS + (skewsMs[index] ?? 0) + index).toISOString(), index);
  const bounds: Bounds = {
    passes: 12,
    kills: options.renewsInTime ? 0 : 1,
    deafens: options.renewsInTime ? 0 : 1,
    turns: Infinity,
    stepMs: pollMs,
    renewsInTime: options.renewsInTime,
  };
  const { world, look, end } = beginTrial({
    skewsMs,
    startsAt: new Date(STARTS).toISOString(),
    keepLast: options.keepLast,
    perTick: options.renewsInTime ? 1 : skewsMs.length,
    objects,
    standing: [OLD],
    keepsDeleteMarkers: options.keepsDeleteMarkers,
    works: skewsMs.map((_, index) =>
      capturing({ keepLast: options.keepLast, pollMs, id: idAt(index), slowLook: true }),
    ),
  });
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

interface Options {
  readonly keepLast: number;
  readonly renewsInTime: boolean;
  readonly keepsDeleteMarkers: boolean;
}

test('eight runners with clocks apart, asleep, dying and unheard lose nothing; those that renew capture once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(), { minLength: 200, maxLength: 600 }),
      fc.array(fc.integer({ min: -TEN_MINUTES, max: TEN_MINUTES }), { minLength: 8, maxLength: 8 }),
      fc.record({
        keepLast: fc.integer({ min: 1, max: 3 }),
        renewsInTime: fc.boolean(),
        keepsDeleteMarkers: fc.boolean(),
      }),
      goThrough,
    ),
    { numRuns: isFullSet() ? 1500 : 150 },
  );
});
