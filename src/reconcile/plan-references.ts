import type { ResolvedPolicy } from '../policy/resolved-policy.ts';
import { isBeingRemoved, newestMark } from '../snapshots/standing.ts';
import { ownNames } from './backup-view.ts';
import { addressOf, type Draft, unaskedDraft } from './draft.ts';
import type { Observation, ObservedReferences } from './observation.ts';
import { missingSnapshots } from './plan-missing.ts';
import { reason } from './reasons.ts';
import type { PlanNotice } from './step.ts';

type Asked = Extract<ObservedReferences, { state: 'asked' }>;

/** Snapshots of servers that manifests name and that are gone, those that none names, and servers that could not be asked. */
export function noticeReferences(policy: ResolvedPolicy, observation: Observation): readonly PlanNotice[] {
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
  return [...silent, ...vanished(observation, seen), ...abandoned(policy, observation)];
}

function vanished(observation: Observation, seen: readonly ObservedReferences[]): readonly PlanNotice[] {
  const asked = new Map(seen.flatMap((one) => (one.state === 'asked' ? [[one.store, one] as const] : [])));
  if (asked.size === 0) return [];
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
 * What captures that were cut short left with servers, and what was let go while not every repository could be read. Only
 * what somebody released, or what `cleans`, the other steps that clean, begin with: a manifest that vanished is no reason.
 */
export function planReferenceCleans(
  policy: ResolvedPolicy,
  observation: Observation,
  cleans: readonly Draft[],
): readonly Draft[] {
  const cleaned = new Set(cleans.map(({ backup, snapshot }) => `${backup}@${snapshot}`));
  const drafts = new Map<string, Draft>();
  for (const { target, reference, isReleased, key, home } of unnamedReferences(policy, observation)) {
    if (!isReleased && !cleaned.has(key)) continue;
    const { name, store, origin } = reference;
    drafts.set(
      `${store} ${name}`,
      unaskedDraft({
        action: 'clean',
        backup: origin.backup,
        repository: home,
        snapshot: origin.snapshot,
        targets: [target],
        reason: reason('partial-upload', `no manifest names what ${origin.target} left with its server: ${name}`, {
          store,
          name,
        }),
        artifacts: [name],
      }),
    );
  }
  return [...drafts.values()];
}

/** What nobody released and no manifest names any more: it may be all that is left of a snapshot. */
function abandoned(policy: ResolvedPolicy, observation: Observation): readonly PlanNotice[] {
  const left = unnamedReferences(policy, observation).filter(({ isReleased, isBegun }) => !isReleased && !isBegun);
  const byName = new Map(left.map((one) => [`${one.reference.store} ${one.reference.name}`, one]));
  return [...byName.values()].map(({ reference: { name, origin }, home }) => ({
    code: 'drift',
    message: `no manifest names what ${origin.backup}@${origin.snapshot} left with the server of ${origin.target}: ${name}; it is left alone`,
    hint: 'a copy of its manifest brings it back; where nobody wants it, remove it on the server',
    address: addressOf(origin.backup, home),
  }));
}

/** Something of this policy on a server, of which every repository could be read and none has a manifest. */
interface UnnamedReference {
  readonly target: string;
  readonly reference: Asked['found'][number];
  /** `backup@id` of the snapshot that it was for. */
  readonly key: string;
  /** The repository that a step about it belongs to. */
  readonly home: string;
  /** A mark says that the snapshot was let go, or never came to be. */
  readonly isReleased: boolean;
  /** Its snapshot was begun, and what that left is still there. */
  readonly isBegun: boolean;
}

/** Nothing is known where a repository cannot be read, or of what a run that lives has made. */
function unnamedReferences(policy: ResolvedPolicy, observation: Observation): readonly UnnamedReference[] {
  const asked = (observation.references ?? []).filter((one): one is Asked => one.state === 'asked');
  // Most policies have none, and many snapshots.
  if (asked.every(({ found }) => found.length === 0)) return [];
  const ready = observation.repositories.flatMap((one) => (one.state === 'ready' ? [one] : []));
  const [first] = ready;
  if (first === undefined || ready.length < observation.repositories.length) return [];
  const names = new Set(ownNames(policy));
  const inventories = ready.map(({ inventory }) => inventory);
  const keysOf = (items: readonly { readonly backup: string; readonly id: string }[]): ReadonlySet<string> =>
    new Set(items.map(({ backup, id }) => `${backup}@${id}`));
  const known = keysOf(
    inventories.flatMap(({ snapshots, unreadable, tampered = [] }) => [...snapshots, ...unreadable, ...tampered]),
  );
  const begun = keysOf(inventories.flatMap(({ remains }) => remains));
  const released = keysOf(
    inventories.flatMap(({ gone }) => gone).filter(({ marks }) => newestMark(marks, 'released') !== undefined),
  );
  const lost = new Set(missingSnapshots(policy, observation).map(({ id }) => id));
  const runs = new Set(inventories.flatMap(({ leases }) => leases.map(({ owner }) => owner.run)));
  return asked.flatMap(({ target, found }) =>
    found.flatMap((reference) => {
      const { policy: of, backup, snapshot, run } = reference.origin;
      const key = `${backup}@${snapshot}`;
      if (!names.has(of) || known.has(key) || runs.has(run)) return [];
      const isBegun = begun.has(key);
      const isReleased = released.has(key) && !isBegun && !lost.has(snapshot);
      return [{ target, reference, key, home: homeOf(policy, backup) ?? first.name, isReleased, isBegun }];
    }),
  );
}

const homeOf = (policy: ResolvedPolicy, name: string): string | undefined =>
  policy.backups.find((backup) => ownNames(backup).includes(name))?.repositories[0];
