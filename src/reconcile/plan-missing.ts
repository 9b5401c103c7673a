import type { ResolvedPolicy } from '../policy/resolved-policy.ts';
import type { RepositoryInventory } from '../snapshots/inventory.ts';
import type { RunRecord, RunStep } from '../snapshots/run-record.ts';
import { newestMark } from '../snapshots/standing.ts';
import { ownNames } from './backup-view.ts';
import type { Observation } from './observation.ts';

/** A snapshot that a run stored in a repository, that nobody released, and that has no manifest there any more. */
export interface MissingSnapshot {
  readonly repository: string;
  readonly address: string;
  readonly id: string;
}

/** What the run records of the policy name and the repositories that can be read do not hold. */
export function missingSnapshots(policy: ResolvedPolicy, { repositories }: Observation): readonly MissingSnapshot[] {
  const names = new Set(ownNames(policy));
  const ready = repositories.filter((repository) => repository.state === 'ready');
  const holders = new Map(ready.map(({ name, inventory }) => [name, { inventory, known: knownIds(inventory) }]));
  const runs = ready.flatMap(({ inventory }) => inventory.runs.filter((run) => names.has(run.policy)));
  const removed = new Set(runs.flatMap((run) => run.steps.filter(isRemoval).map(keyOf)));
  const missing = new Map<string, MissingSnapshot>();
  for (const run of runs) {
    for (const step of run.steps.filter(isStorage)) {
      const { address, snapshot: id } = step;
      const repository = address.slice(address.indexOf('@') + 1);
      const holder = holders.get(repository);
      if (id === null || holder === undefined || removed.has(keyOf(step)) || holder.known.has(id)) continue;
      if (isAbout(run, repository, holder.inventory)) missing.set(keyOf(step), { repository, address, id });
    }
  }
  return [...missing.values()];
}

const keyOf = ({ address, snapshot }: RunStep): string => `${address} ${snapshot}`;

const isRemoval = ({ action, outcome }: RunStep): boolean =>
  (action === 'prune' || action === 'destroy') && outcome === 'done';

const isStorage = ({ action, outcome }: RunStep): boolean =>
  (action === 'create' || action === 'copy') && (outcome === 'done' || outcome === 'partial');

/** The repository that the record speaks of may have been another one with the same name. */
const isAbout = ({ repositories }: RunRecord, name: string, { repositoryId }: RepositoryInventory): boolean =>
  (repositories?.[name] ?? repositoryId) === repositoryId;

const knownIds = ({ snapshots, unreadable, gone, tampered = [] }: RepositoryInventory): ReadonlySet<string> =>
  new Set([
    ...snapshots.map(({ id }) => id),
    ...unreadable.map(({ id }) => id),
    ...tampered.map(({ id }) => id),
    ...gone.filter(({ marks }) => newestMark(marks, 'released') !== undefined).map(({ id }) => id),
  ]);
