import type { ResolvedPolicy } from '../policy/resolved-policy.ts';
import { isBeingRemoved } from '../snapshots/standing.ts';
import { ownNames } from './backup-view.ts';
import { addressOf, type Draft } from './draft.ts';
import { emptyClean } from './empty-clean.ts';
import type { Observation, ObservedReferences } from './observation.ts';
import { reason } from './reasons.ts';
import type { PlanNotice } from './step.ts';

type Asked = Extract<ObservedReferences, { state: 'asked' }>;

/** Snapshots of servers that manifests name and that are gone, and servers that could not be asked. */
export function noticeReferences(observation: Observation): readonly PlanNotice[] {
  const seen = observation.references ?? [];
  const silent = seen.flatMap((one): readonly PlanNotice[] =>
    one.state === 'asked'
      ? []
      : [
          {
            code: 'notice',
            message: `what ${one.target} left with its server cannot be looked for: ${one.message}`,
            hint: null,
            address: null,
          },
        ],
  );
  return [...silent, ...vanished(observation, seen)];
}

function vanished(observation: Observation, seen: readonly ObservedReferences[]): readonly PlanNotice[] {
  const asked = new Map(seen.flatMap((one) => (one.state === 'asked' ? [[one.store, one] as const] : [])));
  return observation.repositories.flatMap((repository) =>
    repository.state !== 'ready'
      ? []
      : repository.inventory.snapshots
          .filter((record) => !isBeingRemoved(record))
          .flatMap(({ backup, id, references = [] }) =>
            references
              .filter(({ store, id: uuid }) => asked.get(store)?.found.every((one) => one.id !== uuid) === true)
              .map(({ target, name }) => ({
                code: 'drift',
                message: `snapshot ${id} is a reference, and what it means for ${target} is gone from the server: ${name}`,
                hint: `\`bkp verify ${backup}@${id}\` marks it as damaged; it cannot be restored`,
                address: addressOf(backup, repository.name),
              })),
          ),
  );
}

/**
 * What captures of this policy left with servers and no manifest names: what was killed, or let go while not every
 * repository could be read. Nothing is planned where one of them cannot be read now, or while the run that made it lives.
 * `cleans` are the other steps that clean; what was begun is cleaned first.
 */
export function planReferenceCleans(
  policy: ResolvedPolicy,
  observation: Observation,
  cleans: readonly Draft[],
): readonly Draft[] {
  const ready = observation.repositories.flatMap((one) => (one.state === 'ready' ? [one] : []));
  const [home] = ready;
  if (home === undefined || ready.length < observation.repositories.length) return [];
  const names = new Set(ownNames(policy));
  const inventories = ready.map(({ inventory }) => inventory);
  const known = new Set(
    inventories.flatMap(({ snapshots, unreadable, tampered = [] }) =>
      [...snapshots, ...unreadable, ...tampered].map(({ backup, id }) => `${backup}@${id}`),
    ),
  );
  const begun = new Map(
    inventories.flatMap(({ remains }) => remains).map((left) => [`${left.backup}@${left.id}`, left]),
  );
  const cleaned = new Set(cleans.map(({ backup, snapshot }) => `${backup}@${snapshot}`));
  const runs = new Set(inventories.flatMap(({ leases }) => leases.map(({ owner }) => owner.run)));
  const orphans = new Map<string, Draft>();
  for (const place of (observation.references ?? []).filter((one): one is Asked => one.state === 'asked')) {
    for (const { name, store, origin } of place.found) {
      const { backup, snapshot } = origin;
      const key = `${backup}@${snapshot}`;
      if (!names.has(origin.policy) || known.has(key) || runs.has(origin.run)) continue;
      if (begun.has(key) && !cleaned.has(key)) continue;
      orphans.set(`${store} ${name}`, {
        ...emptyClean,
        backup,
        repository: homeOf(policy, backup) ?? home.name,
        snapshot,
        targets: [place.target],
        reason: reason('partial-upload', `no manifest names what ${origin.target} left with its server: ${name}`, {
          store,
          name,
        }),
        artifacts: [name],
      });
    }
  }
  return [...orphans.values()];
}

const homeOf = (policy: ResolvedPolicy, name: string): string | undefined =>
  policy.backups.find((backup) => ownNames(backup).includes(name))?.repositories[0];
