import type { Problem, RestoreMode } from '../../engine.ts';
import type { SearchServer } from '../server/server.ts';
import type { SearchTarget } from '../server/settings.ts';
import { describeVersion, type ServerVersion } from '../server/version.ts';

/** What of a whole cluster a snapshot of the server holds beside indices. */
export interface States {
  /** Features whose own indices are in it. */
  readonly features: readonly string[];
  /** Persistent settings, templates, pipelines, scripts and policies are in it. */
  readonly global: boolean;
}

/**
 * What a capture of a target shall hold. One that is made before a restore replaces states of the cluster holds these,
 * whatever the policy says.
 */
export const statesToCapture = (target: SearchTarget): States => ({
  features: [...new Set([...(target.featureStates ?? []), ...(target.restoreFeatureStates ?? [])])],
  global: target.globalState === true || target.restoreGlobalState === true,
});

/** What a restore was asked to replace. */
export const statesToRestore = (target: SearchTarget): States => ({
  features: target.restoreFeatureStates ?? [],
  global: target.restoreGlobalState === true,
});

export const hasStates = ({ features, global }: States): boolean => global || features.length > 0;

/** States are replaced, never added to what is there: what another mode says of them. */
export const refusedStates = (states: States, mode: RestoreMode | undefined): readonly Problem[] =>
  hasStates(states) && mode !== undefined && mode !== 'replace'
    ? [{ message: 'states of the whole cluster replace what is there', hint: 'ask for --mode replace' }]
    : [];

export const knowsFeatures = ({ product, major, minor }: ServerVersion): boolean =>
  product === 'elasticsearch' && (major > 7 || minor >= 12);

interface Answer {
  readonly features?: readonly { readonly name: string }[];
}

/** A server passes over a feature that it does not have in silence: each is looked up. */
export async function judgeFeatures(server: SearchServer, features: readonly string[]): Promise<readonly Problem[]> {
  if (features.length === 0) return [];
  if (!knowsFeatures(server.version))
    return [
      {
        message: `${describeVersion(server.version)} has no feature states`,
        hint: 'leave `featureStates` out; Elasticsearch 7.12 and newer have some',
      },
    ];
  const doing = 'cannot list the features of the server';
  const answer = (await server.json({ method: 'GET', path: '/_features', doing })) as Answer;
  const names = (answer.features ?? []).map(({ name }) => name).toSorted();
  return features
    .filter((name) => !names.includes(name))
    .map((name) => ({ message: `the server has no feature ${name}`, hint: `it has ${names.join(', ')}` }));
}
