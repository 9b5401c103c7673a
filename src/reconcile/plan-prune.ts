import type { SnapshotRecord } from '../snapshots/inventory.ts';
import { isGood, protection, verifiedAt } from '../snapshots/standing.ts';
import { byStart, type BackupRepository, type BackupView } from './backup-view.ts';
import { addressOf, draft, stepKey, type Draft, type Drafts } from './draft.ts';
import { count, formatDuration, formatInstant } from './phrases.ts';
import type { KeptByRules } from './plan-retention.ts';
import { reason, type Reason } from './reasons.ts';
import type { KeptSnapshot, WithheldStep } from './step.ts';

export interface PruneInput {
  readonly view: BackupView;
  readonly repository: BackupRepository;
  readonly kept: KeptByRules;
  /** Steps of this plan that store or verify a snapshot, in any repository of the backup. */
  readonly stored: readonly Draft[];
  readonly verifications: readonly Draft[];
  readonly now: Date;
  readonly maxPrune: number | undefined;
}

type Fate =
  | { readonly fate: 'keep'; readonly reason: Reason }
  | { readonly fate: 'prune'; readonly reason: Reason }
  | { readonly fate: 'withhold'; readonly reason: Reason };

/** What becomes of every snapshot in one repository, each with its reason. */
export function planPrunes(input: PruneInput): Partial<Drafts> {
  const { view, repository } = input;
  const address = addressOf(view.backup.name, repository.name);
  const guards = guardsOf(input);
  const keep: KeptSnapshot[] = [];
  const withheld: WithheldStep[] = [];
  const prunes: Draft[] = [];
  for (const snapshot of [...repository.snapshots.values()].toSorted(byStart)) {
    const { fate, reason: why } = fateOf(input, snapshot, guards);
    const source = view.backup.sources['retention'] ?? view.backup.source;
    if (fate === 'keep') keep.push({ address, snapshot: snapshot.id, reason: why });
    else if (fate === 'withhold')
      withheld.push({ action: 'prune', address, snapshot: snapshot.id, reason: why, source });
    else prunes.push(pruneStep(input, snapshot, why, guards));
  }
  const limit =
    input.maxPrune ?? view.backup.maxPrune ?? Math.max(10, Math.ceil(0.2 * keep.length + 0.2 * prunes.length));
  if (prunes.length <= limit) return { keep, withheld, steps: prunes };
  const message = `${count(prunes.length, 'prune')} at once, more than ${limit} (--max-prune ${prunes.length} lets them go)`;
  const tooMany = reason('max-prune', message, { prunes: prunes.length, limit });
  return {
    keep,
    withheld: [
      ...withheld,
      ...prunes.map((step) => ({
        action: 'prune' as const,
        address,
        snapshot: step.snapshot,
        reason: tooMany,
        source: step.source,
      })),
    ],
  };
}

interface Guards {
  readonly newestGood: SnapshotRecord | undefined;
  readonly newestVerified: SnapshotRecord | undefined;
  /** Steps that store a newer snapshot here. */
  readonly storedHere: readonly Draft[];
  readonly verifiedHere: readonly Draft[];
  /** A kept snapshot that is not here and that no step brings. */
  readonly awaited: SnapshotRecord | undefined;
}

function guardsOf({ view, repository, kept, stored, verifications }: PruneInput): Guards {
  const storedHere = stored.filter((step) => step.repository === repository.name);
  const brought = new Set(storedHere.map((step) => step.snapshot));
  const good = [...repository.snapshots.values()].filter(isGood).toSorted(byStart);
  const missing = view.good
    .map(({ record }) => record)
    .filter((record) => kept.rules.has(record.id) && !repository.released.has(record.id));
  return {
    newestGood: good.at(-1),
    newestVerified: good.filter((snapshot) => verifiedAt(snapshot) !== null).at(-1),
    storedHere,
    verifiedHere: verifications.filter(
      (step) =>
        step.repository === repository.name && storedHere.some((made) => step.dependsOn.includes(stepKey(made))),
    ),
    awaited: missing.findLast((record) => !good.some((here) => here.id === record.id) && !brought.has(record.id)),
  };
}

function fateOf(input: PruneInput, snapshot: SnapshotRecord, guards: Guards): Fate {
  const fate = fateByRules(input, snapshot, guards);
  if (fate.fate !== 'prune') return fate;
  const guarded = protection(snapshot);
  if (guarded !== null)
    return {
      fate: 'withhold',
      reason: reason('protected', `protected${guarded.reason === '' ? '' : `: ${guarded.reason}`}`),
    };
  if (!isGood(snapshot)) return fate;
  if (snapshot === guards.newestGood && guards.storedHere.length === 0) {
    return { fate: 'withhold', reason: reason('last-good', `the newest good snapshot in ${input.repository.name}`) };
  }
  if (snapshot === guards.newestVerified && guards.verifiedHere.length === 0) {
    return {
      fate: 'withhold',
      reason: reason('last-good', `the newest verified snapshot in ${input.repository.name}`),
    };
  }
  if (guards.awaited !== undefined && byStart(snapshot, guards.awaited) < 0) {
    const message = `${formatInstant(guards.awaited.startedAt)} must be copied to ${input.repository.name} first`;
    return { fate: 'withhold', reason: reason('awaits-copy', message, { snapshot: guards.awaited.id }) };
  }
  return fate;
}

function fateByRules({ view, kept, now, repository }: PruneInput, snapshot: SnapshotRecord, guards: Guards): Fate {
  if (snapshot.kind === 'safety') {
    const leftMs = Date.parse(snapshot.startedAt) + view.backup.safetyKeepMs - now.getTime();
    if (leftMs > 0)
      return {
        fate: 'keep',
        reason: reason('retained', `safety snapshot, ${formatDuration(leftMs)} left`, { rules: ['safetyKeep'] }),
      };
    return {
      fate: 'prune',
      reason: reason('expired', `safety snapshot older than ${formatDuration(view.backup.safetyKeepMs)}`),
    };
  }
  const newer =
    guards.storedHere.length > 0 || (guards.newestGood !== undefined && byStart(snapshot, guards.newestGood) < 0);
  if (snapshot.status === 'partial') {
    if (newer) return { fate: 'prune', reason: reason('superseded', 'partial, and a newer good snapshot exists') };
    return {
      fate: 'keep',
      reason: reason('retained', 'partial, until a newer good snapshot exists', { rules: ['partial'] }),
    };
  }
  const rules = kept.rules.get(snapshot.id);
  const lost = !isGood(snapshot) && !view.good.some(({ record }) => record.id === snapshot.id);
  if (lost) {
    const message = `damaged in ${repository.name} and no good copy is left`;
    if (kept.damagedRules.has(snapshot.id) || !newer)
      return { fate: 'withhold', reason: reason('replica-corrupt', message) };
    return { fate: 'prune', reason: reason('superseded', `${message}; a newer good snapshot exists`) };
  }
  if (rules !== undefined) return { fate: 'keep', reason: reason('retained', rules.join(', '), { rules }) };
  return {
    fate: 'prune',
    reason: reason('retention-exceeded', 'no retention rule keeps it', { retention: view.backup.retention }),
  };
}

function pruneStep(
  { view, repository, stored }: PruneInput,
  snapshot: SnapshotRecord,
  why: Reason,
  guards: Guards,
): Draft {
  const creates = stored.filter((step) => step.action === 'create');
  return draft(view.backup, {
    action: 'prune',
    repository: repository.name,
    snapshot: snapshot.id,
    kind: snapshot.kind,
    targets: Object.keys(snapshot.targets),
    reason: { ...why, data: { ...why.data, storedBytes: snapshot.storedBytes } },
    source: view.backup.sources['retention'] ?? view.backup.source,
    destructive: true,
    dependsOn: [...new Set([...creates, ...guards.storedHere, ...guards.verifiedHere].map(stepKey))],
  });
}
