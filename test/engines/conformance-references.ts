import { describe } from 'vitest';
import type { Target } from '../../src/generated/policy.ts';
import { describeDamage } from './conformance-damage.ts';
import { describeRoundTrip } from './conformance-round-trip.ts';
import type { EngineFixture } from './fixture.ts';

/** What the suites of every day try of an engine that leaves the data with its server; the full set tries all. */
export function describeReferences<K extends Target['type']>(fixture: EngineFixture<K>): void {
  describe(`engine ${fixture.name}`, () => {
    describeRoundTrip(fixture);
    describeDamage(fixture);
  });
}
