import type { SearchServer } from '../server/server.ts';
import { readClusterState } from './cluster-state.ts';
import { hasStates, type States } from './states.ts';

const MOST_NAMES = 12;

/** What the replacement of states would change on the whole cluster, as a clause for the plan; empty where none is. */
export async function describeStates(server: SearchServer, states: States): Promise<string> {
  if (!hasStates(states)) return '';
  const features = states.features.length === 0 ? [] : [`the feature states ${states.features.join(', ')}`];
  if (!states.global) return `replaced for the whole cluster: ${features.join('')}`;
  const names = [...(await readClusterState(server)).keys()];
  const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : '';
  const told = names.length === 0 ? 'nothing that can be listed' : `${names.slice(0, MOST_NAMES).join(', ')}${more}`;
  return `replaced for the whole cluster: ${[...features, `the global state (${told})`].join(' and ')}`;
}
