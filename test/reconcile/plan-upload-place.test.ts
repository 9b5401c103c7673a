import { expect, test } from 'vitest';
import type { Remains } from '../../src/snapshots/inventory.ts';
import { aBackup, anInventory, anObservation, aPolicy, aSnapshot, outline, planFor, ready } from './builders.ts';

const backup = aBackup({ schedule: null });
const good = aSnapshot('2026-11-18T02:00:00Z', backup);
const place: Remains = {
  backup: 'app',
  id: '20261119T020000Z-aaaaaaaa',
  kind: 'begun',
  policy: 'acme',
  keys: ['snapshots/app/20261119T020000Z-aaaaaaaa/upload/db.dump'],
  inProgress: false,
  keptUntil: '2026-11-20T03:00:00.000Z',
};
const observation = anObservation([ready('nas', anInventory([good], { remains: [place] }))]);

test.each([
  ['2026-11-20T02:59:59.999Z', []],
  ['2026-11-20T03:00:00.000Z', ['clean app@nas expired']],
])('a place to upload to at %s', (now, steps) => {
  expect(outline(planFor(aPolicy([backup]), observation, now))).toEqual(steps);
});
