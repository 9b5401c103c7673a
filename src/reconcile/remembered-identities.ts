import type { RunRecord } from '../snapshots/run-record.ts';
import type { Plan } from './step.ts';
import type { Observation, ObservedRepository } from './observation.ts';

/** Ids of the readable repositories by name, as run records keep them. */
export const identitiesOf = ({ repositories }: Pick<Observation, 'repositories'>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    repositories.flatMap((one) => (one.state === 'ready' ? [[one.name, one.inventory.repositoryId] as const] : [])),
  );

/** The same as a plan found them. */
export const identitiesIn = ({ repositories }: Pick<Plan, 'repositories'>): Readonly<Record<string, string>> =>
  Object.fromEntries(repositories.flatMap(({ name, id }) => (id === null ? [] : [[name, id] as const])));

/** The id that the newest run record of this policy, in some repositories, remembers of the repository with a name. */
export function rememberedByRuns(repositories: readonly ObservedRepository[], name: string): string | undefined {
  let newest: RunRecord | undefined;
  for (const one of repositories) {
    if (one.state !== 'ready') continue;
    for (const run of one.inventory.runs) {
      if (run.repositories?.[name] !== undefined && (newest === undefined || run.id > newest.id)) newest = run;
    }
  }
  return newest?.repositories?.[name];
}
