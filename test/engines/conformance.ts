import { describe } from 'vitest';
import type { Target } from '../../src/generated/policy.ts';
import { describeDamage } from './conformance-damage.ts';
import { describeFaults } from './conformance-faults.ts';
import { describeKills } from './conformance-kills.ts';
import { describeRoundTrip } from './conformance-round-trip.ts';
import type { EngineFixture } from './fixture.ts';

/** Everything that holds for every engine. A new one gets all of it by one fixture. */
export function describeEngine<K extends Target['type']>(fixture: EngineFixture<K>): void {
  describe(`engine ${fixture.name}`, () => {
    describeRoundTrip(fixture);
    describeDamage(fixture);
    describeFaults(fixture);
    if (fixture.isPersistent) describeKills(fixture);
  });
}
