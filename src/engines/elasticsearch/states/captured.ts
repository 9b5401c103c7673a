import type { SnapshotPlace } from '../artifact/index-header.ts';
import type { ServerSnapshot } from '../snapshot/server-snapshot.ts';
import type { States } from './states.ts';

/** What a snapshot that was asked for states holds of them. A feature that keeps nothing yet is not in it. */
export function statesIn(
  { feature_states: held = [] }: ServerSnapshot,
  { features, global }: States,
): Pick<SnapshotPlace, 'featureStates' | 'globalState'> {
  const found = held.filter(({ feature_name: name }) => features.includes(name));
  return {
    ...(features.length === 0
      ? {}
      : { featureStates: Object.fromEntries(found.map(({ feature_name: name, indices }) => [name, indices])) }),
    ...(global ? { globalState: true } : {}),
  };
}

/** Features of which there is nothing to keep, one sentence each. */
export const emptyFeatures = ({ feature_states: held = [] }: ServerSnapshot, { features }: States): readonly string[] =>
  features
    .filter((name) => !held.some(({ feature_name: feature }) => feature === name))
    .map((name) => `feature ${name} keeps nothing on the server: there is no state of it in the snapshot`);
