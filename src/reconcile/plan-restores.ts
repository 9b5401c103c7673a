import { createHash } from 'node:crypto';
import type { ResolvedPolicy, ResolvedRestore } from '../policy/resolved-policy.ts';
import { canonicalJson } from '../snapshots/canonical-json.ts';
import type { MarkRecord } from '../snapshots/inventory.ts';
import type { BackupView, FolderIndex } from './backup-view.ts';
import { placeOf } from './destination-place.ts';
import { addressOf, draft, stepKey, type Draft, type Drafts } from './draft.ts';
import type { Observation } from './observation.ts';
import { obstacleOf, type WaysOut } from './obstacle.ts';
import { reason } from './reasons.ts';
import { selectSnapshot } from './select-snapshot.ts';
import type { Destination, WithheldStep } from './step.ts';

/** Tells one destination from another: SHA-256 over where each target goes and how. Stands in `restored` marks. */
export function destinationDigest(targets: ResolvedRestore['targets']): string {
  return createHash('sha256').update(canonicalJson(targets)).digest('hex');
}

export interface RestoreInput {
  readonly restore: ResolvedRestore;
  readonly view: BackupView;
  readonly folders: ReadonlyMap<string, FolderIndex>;
  readonly found: Observation['destinations'][string] | undefined;
  /** The capture this plan makes of the same backup, if any: what `latest` will be. */
  readonly create: Draft | undefined;
}

/** One restore of the policy: done before, due now, or held back until it can be known which. */
export function planRestore(input: RestoreInput): Partial<Drafts> {
  const { restore, view, create } = input;
  const selected = selectSnapshot(
    view.good.map(({ record }) => record),
    restore.selector,
    view.backup.timezone,
  );
  const waits = restore.selector === 'latest' && create !== undefined;
  const snapshot = waits || 'problem' in selected ? null : selected.snapshot.id;
  const holder = waits ? create.repository : view.good.find(({ record }) => record.id === snapshot)?.holders[0];
  const address = addressOf(view.backup.name, holder ?? view.repositories[0]?.name ?? '');
  const done = doneMarks(input).find((mark) => (snapshot === null ? !restore.repeat : mark.id === snapshot));
  if (done !== undefined && !waits) {
    return {
      keep: [
        {
          address,
          snapshot: done.id,
          reason: reason('done', `restore ${restore.name} was done ${done.mark.at.slice(0, 16)}Z`, {
            restore: restore.name,
          }),
        },
      ],
    };
  }
  const hold = (code: 'repository-unavailable' | 'requested', message: string): Partial<Drafts> => ({
    withheld: [
      {
        action: 'restore',
        address,
        snapshot,
        reason: reason(code, message, { restore: restore.name }),
        source: restore.source,
      } satisfies WithheldStep,
    ],
  });
  const unreadable = view.repositories.filter((repository) => repository.state !== 'ready').map(({ name }) => name);
  if (unreadable.length > 0)
    return hold(
      'repository-unavailable',
      `restore ${restore.name} may have been done: ${unreadable.join(', ')} cannot be read`,
    );
  if ('problem' in selected && !waits)
    return hold('requested', `restore ${restore.name} cannot be done: ${selected.problem}`);
  const obstacle = firstObstacle(input);
  if (obstacle !== null) return hold('requested', `restore ${restore.name} cannot be done: ${obstacle}`);
  const record = 'snapshot' in selected ? selected.snapshot : undefined;
  const destination = destinationOf(input);
  return {
    steps: [
      draft(view.backup, {
        action: 'restore',
        repository: holder ?? '',
        snapshot,
        snapshotFrom: waits ? stepKey(create) : null,
        kind: record?.kind ?? 'backup',
        targets: Object.keys(restore.targets),
        destination,
        mode: commonMode(destination),
        estimate: { readBytes: record?.storedBytes ?? 0, writeBytes: record?.sizeBytes ?? 0 },
        reason: reason('requested', `restore ${restore.name} of the policy`, { restore: restore.name }),
        source: restore.source,
        destructive: Object.values(destination.targets).some((target) => target.occupied),
        dependsOn: waits ? [stepKey(create)] : [],
      }),
    ],
  };
}

const WAYS_OUT: WaysOut = { mode: '`mode: replace` or `mode: merge`', place: 'another destination under `into`' };

/** What stands in the way at the destinations, as far as they were looked at. */
function firstObstacle({ restore, found }: RestoreInput): string | null {
  for (const [name, { mode }] of Object.entries(restore.targets)) {
    const state = found?.[name];
    const obstacle = state === undefined ? null : obstacleOf({ name, mode, state }, WAYS_OUT);
    if (obstacle !== null) return obstacle.hint === null ? obstacle.message : `${obstacle.message} (${obstacle.hint})`;
  }
  return null;
}

function destinationOf({ restore, view, found }: RestoreInput): Destination {
  const targets = Object.entries(restore.targets).map(([name, { into, mode }]) => {
    const state = found?.[name];
    const config = view.backup.targets.find((target) => target.name === name)?.config;
    return [
      name,
      {
        place: config === undefined ? '' : placeOf({ ...config, ...into }),
        into,
        mode,
        found: state?.description ?? 'not looked at',
        occupied: state?.state === 'occupied',
      },
    ] as const;
  });
  return { restore: restore.name, targets: Object.fromEntries(targets) };
}

/** The mode of all targets of a destination where they agree, else null. */
export function commonMode(destination: Destination): Draft['mode'] {
  const modes = new Set(Object.values(destination.targets).map((target) => target.mode));
  return modes.size === 1 ? ([...modes][0] ?? null) : null;
}

/** Restores that no mark says were done, or that are done again for every new snapshot. */
export const pendingRestores = (
  policy: ResolvedPolicy,
  folders: ReadonlyMap<string, FolderIndex>,
): readonly ResolvedRestore[] =>
  policy.restores.filter((restore) => restore.repeat || doneMarks({ restore, folders }).length === 0);

/** Marks that say this restore was carried out into this destination, whether or not its snapshot still exists. */
function doneMarks({
  restore,
  folders,
}: Pick<RestoreInput, 'restore' | 'folders'>): readonly { readonly id: string; readonly mark: MarkRecord }[] {
  const digest = destinationDigest(restore.targets);
  const marked = [...folders.values()].flatMap(({ inventory }) => [
    ...(inventory?.snapshots ?? []),
    ...(inventory?.gone ?? []),
  ]);
  return marked.flatMap(({ id, marks }) =>
    marks
      .filter(
        (mark) =>
          mark.kind === 'restored' && mark.data['restore'] === restore.name && mark.data['destination'] === digest,
      )
      .map((mark) => ({ id, mark })),
  );
}
