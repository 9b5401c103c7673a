import type { SnapshotRecord } from '../snapshots/inventory.ts';
import { isGood, verifiedAt } from '../snapshots/standing.ts';
import { byStart, type BackupRepository, type BackupView } from './backup-view.ts';
import { stepKey, type Draft } from './draft.ts';
import type { KeptByRules } from './plan-retention.ts';

/** What must still stand in a repository when everything that may go is gone. */
export interface PruneGuards {
  readonly newestGood: SnapshotRecord | undefined;
  /** The newest that a capture made, as the planning of captures sees it: an adopted dump is no reason to lose it. */
  readonly newestOwn: SnapshotRecord | undefined;
  readonly newestVerified: SnapshotRecord | undefined;
  /** A kept snapshot that is not here and that no step brings. */
  readonly awaited: SnapshotRecord | undefined;
  /** Steps that store a snapshot here. */
  readonly storedHere: readonly Draft[];
  /** Steps that verify what is stored here. */
  readonly verifiedStores: readonly Draft[];
  /** The step that stores a newer snapshot here. */
  readonly storesNewer: (snapshot: SnapshotRecord) => Draft | undefined;
  /** The same, and no adopted dump. */
  readonly storesNewerOwn: (snapshot: SnapshotRecord) => Draft | undefined;
  /** The step that verifies a newer good snapshot here. */
  readonly verifiesNewer: (snapshot: SnapshotRecord) => Draft | undefined;
}

export interface GuardInput {
  readonly view: BackupView;
  readonly repository: BackupRepository;
  readonly kept: KeptByRules;
  /** Steps of this plan that store or verify a snapshot, in any repository of the backup. */
  readonly stored: readonly Draft[];
  readonly verifications: readonly Draft[];
  readonly now: Date;
}

/** Looks for what keeps a repository safe while it is pruned. */
export function pruneGuards({ view, repository, kept, stored, verifications, now }: GuardInput): PruneGuards {
  const isHere = (step: Draft): boolean => step.repository === repository.name;
  const storedHere = stored.filter(isHere);
  const verifiedHere = verifications.filter(isHere);
  // A replaced artifact is hashed by the step itself.
  const vouching = [...verifiedHere, ...storedHere.filter(({ action }) => action === 'replace')];
  const good = [...repository.snapshots.values()].filter(isGood).toSorted(byStart);
  const own = good.filter(({ kind }) => kind === 'backup');
  const soon = new Set(storedHere.map((step) => step.snapshot));
  const isHereSoon = (id: string): boolean => {
    const here = repository.snapshots.get(id);
    return soon.has(id) || (here !== undefined && isGood(here));
  };
  const isQuiet = stored.length === 0 && verifications.length === 0;
  const starts = new Map(isQuiet ? [] : view.good.map(({ record }) => [record.id, record.startedAt]));
  /** A snapshot that this plan makes starts now. */
  const startOf = (step: Draft): string => starts.get(step.snapshot ?? '') ?? now.toISOString();
  const newest = (steps: readonly Draft[]): Draft | undefined =>
    steps.toSorted((a, b) => (startOf(a) < startOf(b) ? -1 : 1)).at(-1);
  const newestStored = newest(storedHere);
  const ownStored = storedHere.filter(({ kind }) => kind === 'backup');
  const isPast = (startedAt: string): boolean => startedAt <= now.toISOString();
  const [newestOwnStored, newestPastStored] = [
    newest(ownStored),
    newest(ownStored.filter((step) => isPast(startOf(step)))),
  ];
  const newestVerification = newest(vouching);
  const ifNewer = (step: Draft | undefined, { startedAt }: SnapshotRecord): Draft | undefined =>
    step !== undefined && startOf(step) > startedAt ? step : undefined;
  return {
    newestGood: good.at(-1),
    newestOwn: own.findLast(({ startedAt }) => isPast(startedAt)) ?? own.at(-1),
    newestVerified: good.findLast((snapshot) => verifiedAt(snapshot) !== null),
    awaited: view.good.findLast(
      ({ record: { id } }) => kept.rules.has(id) && !repository.released.has(id) && !isHereSoon(id),
    )?.record,
    storedHere,
    verifiedStores: verifiedHere.filter(({ dependsOn }) =>
      storedHere.some((made) => dependsOn.includes(stepKey(made))),
    ),
    storesNewer: (snapshot) => ifNewer(newestStored, snapshot),
    // One from later than now takes no place of one that was made before.
    storesNewerOwn: (snapshot) => ifNewer(isPast(snapshot.startedAt) ? newestPastStored : newestOwnStored, snapshot),
    verifiesNewer: (snapshot) => ifNewer(newestVerification, snapshot),
  };
}
