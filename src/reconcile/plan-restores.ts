import { createHash } from 'node:crypto';
import type { ResolvedPolicy, ResolvedRestore } from '../policy/resolved-policy.ts';
import { canonicalJson } from '../snapshots/canonical-json.ts';
import type { MarkRecord } from '../snapshots/inventory.ts';
import { ownNames, viewBackup, type BackupView, type FolderIndex } from './backup-view.ts';
import { placeOf } from './destination-place.ts';
import { addressOf, draft, stepKey, type Draft, type Drafts } from './draft.ts';
import type { Observation } from './observation.ts';
import { isAtStake, obstacleOf, type WaysOut } from './obstacle.ts';
import { identityNeeded, type Readers } from './plan-encryption.ts';
import { reason } from './reasons.ts';
import { formatInstant } from './phrases.ts';
import { fitsSelector, selectSnapshot } from './select-snapshot.ts';
import type { Destination, WithheldStep } from './step.ts';

/** Tells one destination from another: SHA-256 over where each target goes and how. Stands in `restored` marks. */
export function destinationDigest(targets: ResolvedRestore['targets']): string {
  return createHash('sha256').update(canonicalJson(targets)).digest('hex');
}

export interface RestoreInput {
  readonly restore: ResolvedRestore;
  readonly view: BackupView;
  readonly folders: ReadonlyMap<string, FolderIndex>;
  readonly readers: Readers;
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
  const done = waits ? undefined : doneMark(input, snapshot);
  if (done !== undefined) {
    const message = `restore ${restore.name} was done ${formatInstant(done.mark.at)}`;
    return { keep: [{ address, snapshot: done.id, reason: reason('done', message, { restore: restore.name }) }] };
  }
  const hold = (
    code: 'repository-unavailable' | 'requested' | 'identity-missing' | 'unsigned',
    message: string,
  ): Partial<Drafts> => ({
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
  if ('problem' in selected && !waits && isUnsigned(view, restore.selector))
    return hold('unsigned', `restore ${restore.name} cannot be done: what it names lacks a signature that counts`);
  if ('problem' in selected && !waits)
    return hold('requested', `restore ${restore.name} cannot be done: ${selected.problem}`);
  const record = 'snapshot' in selected ? selected.snapshot : undefined;
  const sealed = identityNeeded(view, input.readers, { repository: holder ?? '', snapshot });
  if (sealed !== null) return hold('identity-missing', `restore ${restore.name} waits: ${sealed}`);
  const destination = destinationOf(input);
  const obstacle = firstObstacle(input, destination);
  if (obstacle !== null) return hold('requested', `restore ${restore.name} cannot be done: ${obstacle}`);
  const safety = safetyDraft(input, destination);
  const before = [...(waits ? [create] : []), ...safety];
  const step = draft(view.backup, {
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
    dependsOn: before.map(stepKey),
  });
  return { steps: [...safety, step] };
}

/** What a selector means is there, and does not count. */
const isUnsigned = ({ backup, repositories }: BackupView, selector: string): boolean =>
  repositories.some(({ unsigned }) => [...unsigned.keys()].some((id) => fitsSelector(id, selector, backup.timezone)));

const WAYS_OUT: WaysOut = { mode: '`mode: replace` or `mode: merge`', place: 'another destination under `into`' };

/** What stands in the way at the destinations, as far as they were looked at. */
function firstObstacle({ found }: RestoreInput, { targets }: Destination): string | null {
  for (const [name, { place, mode }] of Object.entries(targets)) {
    const state = found?.[name];
    const obstacle = state === undefined ? null : obstacleOf({ name, place, mode, state }, WAYS_OUT);
    if (obstacle !== null) return obstacle.hint === null ? obstacle.message : `${obstacle.message} (${obstacle.hint})`;
  }
  return null;
}

/** The capture of what the restore changes in place, where something stands there. */
function safetyDraft({ restore, view, found }: RestoreInput, destination: Destination): readonly Draft[] {
  const targets = Object.keys(restore.targets).filter((name) => found?.[name]?.needsSafety === true);
  const receiver = view.repositories.find((repository) => repository.state === 'ready');
  if (targets.length === 0 || receiver === undefined) return [];
  return [
    draft(view.backup, {
      action: 'create',
      kind: 'safety',
      repository: receiver.name,
      targets,
      destination,
      reason: reason('safety', safetyMessage(targets), { restore: restore.name }),
      source: restore.source,
    }),
  ];
}

/** Why a safety snapshot of some targets is taken. */
export const safetyMessage = (targets: readonly string[]): string =>
  `what stands at the destination of ${targets.join(', ')} is captured before it is changed`;

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
        occupied: state !== undefined && isAtStake(state, mode),
        ...(mode === 'replace' && state?.needsSafety === true ? { changedInPlace: true as const } : {}),
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

/** Restores whose destinations a plan must know: not done yet, or done again for every new snapshot. */
export const pendingRestores = (
  policy: ResolvedPolicy,
  folders: ReadonlyMap<string, FolderIndex>,
): readonly ResolvedRestore[] =>
  policy.restores.filter((restore) => {
    const backup = policy.backups.find(({ name }) => name === restore.backup);
    if (backup === undefined) return false;
    return (
      restore.repeat || doneMark({ restore, view: viewBackup(policy, backup, folders), folders }, null) === undefined
    );
  });

/**
 * The mark that says this restore was carried out into this destination, whether or not its snapshot still exists: once
 * for what its selector means, or, where it repeats, for the given snapshot.
 */
function doneMark(
  { restore, view, folders }: Pick<RestoreInput, 'restore' | 'view' | 'folders'>,
  snapshot: string | null,
): { readonly id: string; readonly mark: MarkRecord } | undefined {
  const digest = destinationDigest(restore.targets);
  const names = ownNames(view.backup);
  const isMeant = (id: string): boolean =>
    restore.repeat ? id === snapshot : fitsSelector(id, restore.selector, view.backup.timezone);
  for (const { inventory } of folders.values()) {
    for (const { backup, id, marks } of [...(inventory?.snapshots ?? []), ...(inventory?.gone ?? [])]) {
      if (!names.includes(backup) || !isMeant(id)) continue;
      const mark = marks.find(
        ({ kind, data }) => kind === 'restored' && data['restore'] === restore.name && data['destination'] === digest,
      );
      if (mark !== undefined) return { id, mark };
    }
  }
  return undefined;
}
