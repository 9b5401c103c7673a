import { expect, test } from 'vitest';
import { isFullSet } from '../../services/suites.ts';
import { explore } from './explore.ts';
import type { Bounds } from './moves.ts';
import { beginTrial, objectsAfter, OLD, storeOld, storePart, type TrialOptions } from './trials.ts';
import { capturing, copying, idOf, LEASE_MS } from './work.ts';

const TEN_MINUTES = 600_000;
const STARTS = '2026-11-19T02:05:00.000Z';
const AHEAD = '2026-11-19T02:15:00.000Z';
const COPIED = idOf('2026-11-19T02:00:00.000Z', 7);

/** The whole set goes further than there is time for every day. */
const more = isFullSet() ? 1 : 0;

const RENEWING: Bounds = {
  passes: 1,
  kills: 0,
  deafens: 0,
  turns: more,
  stepMs: LEASE_MS / 3,
  renewsInTime: true,
};
const ASLEEP: Bounds = { passes: 1, kills: 0, deafens: 0, turns: 2, stepMs: LEASE_MS, renewsInTime: false };
const DYING: Bounds = { ...ASLEEP, turns: 1, kills: 1, passes: more };
/** Who sleeps and who dies together may leave a file that nobody listed: it stays, and is no snapshot. */
const DYING_AWAKE: Bounds = { ...DYING, passes: 0 };
const DEAF: Bounds = { ...ASLEEP, turns: 0, deafens: 1 };

const objects = await objectsAfter(storeOld);
const withPart = await objectsAfter(async (repository) => {
  await storeOld(repository);
  await storePart(repository, COPIED);
});

const capture = (pollMs: number, parts: Partial<TrialOptions> = {}): TrialOptions => ({
  skewsMs: [0, TEN_MINUTES],
  startsAt: STARTS,
  keepLast: 1,
  perTick: 2,
  objects,
  standing: [OLD],
  works: [STARTS, AHEAD].map((at, seed) => capturing({ keepLast: 1, pollMs, id: idOf(at, seed) })),
  ...parts,
});

const copy = (parts: Partial<TrialOptions> = {}): TrialOptions => ({
  ...capture(LEASE_MS),
  keepLast: 2,
  perTick: 1,
  objects: withPart,
  works: [true, false].map((isTidy) => copying({ id: COPIED, pollMs: LEASE_MS, isTidy })),
  ...parts,
});

test.each<[string, TrialOptions, Bounds]>([
  ['that renew never capture a tick twice', capture(LEASE_MS / 3, { perTick: 1 }), RENEWING],
  ['of which one sleeps past its lease lose nothing', capture(LEASE_MS), ASLEEP],
  ['of which one dies lose nothing', capture(LEASE_MS), DYING],
  ['of which one hears no answer lose nothing', capture(LEASE_MS), DEAF],
  ['lose nothing where keys cannot be made again', capture(LEASE_MS, { keepsDeleteMarkers: true }), ASLEEP],
  ['that copy the same snapshot make one good copy', copy(), ASLEEP],
  ['that copy it while one dies make one good copy', copy(), DYING_AWAKE],
  ['that copy it where keys cannot be made again do too', copy({ keepsDeleteMarkers: true }), ASLEEP],
])('in every order of their steps, two runners %s', async (_, options, bounds) => {
  const { states, ends } = await explore(() => beginTrial(options), bounds);
  expect(states).toBeGreaterThan(500);
  expect(ends).toBeGreaterThan(5);
});
