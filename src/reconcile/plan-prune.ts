import type { SnapshotRecord } from '../snapshots/inventory.ts';
import { isBeingRemoved, isGood, protection } from '../snapshots/standing.ts';
import { byStart } from './backup-view.ts';
import { addressOf, draft, stepKey, type Draft, type Drafts } from './draft.ts';
import { formatDuration, formatInstant } from './phrases.ts';
import { lockReason } from './plan-lock.ts';
import { limitPrunes } from './plan-max-prune.ts';
import { pruneGuards, type GuardInput, type PruneGuards } from './plan-prune-guards.ts';
import { reason, type Reason } from './reasons.ts';
import type { KeptSnapshot, WithheldStep } from './step.ts';

export interface PruneInput extends GuardInput {
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
  const guards = pruneGuards(input);
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
  const limited = limitPrunes(prunes, keep.length + prunes.length, input.maxPrune ?? view.backup.maxPrune);
  return { keep, withheld: [...withheld, ...(limited.withheld ?? [])], steps: limited.steps ?? [] };
}

function fateOf(input: PruneInput, snapshot: SnapshotRecord, guards: PruneGuards): Fate {
  const fate = fateByGuards(input, snapshot, guards);
  const locked = fate.fate === 'prune' ? lockReason(snapshot.lockedUntil, input.repository.name, input.now) : null;
  return locked === null ? fate : { fate: 'withhold', reason: locked };
}

function fateByGuards(input: PruneInput, snapshot: SnapshotRecord, guards: PruneGuards): Fate {
  const fate = fateByRules(input, snapshot, guards);
  if (fate.fate !== 'prune') return fate;
  const guarded = protection(snapshot);
  if (guarded !== null)
    return {
      fate: 'withhold',
      reason: reason('protected', `protected${guarded.reason === '' ? '' : `: ${guarded.reason}`}`),
    };
  if (snapshot.kind === 'safety') return fate;
  // Whatever was good when its removal was decided may be lost by now.
  if (isBeingRemoved(snapshot)) {
    if (guards.newestGood !== undefined || guards.storedHere.length > 0) return fate;
    return { fate: 'withhold', reason: reason('last-good', `no good snapshot is in ${input.repository.name}`) };
  }
  if (!isGood(snapshot) && !hasNewerGood(snapshot, guards))
    return { fate: 'withhold', reason: reason('last-good', `no newer good snapshot is in ${input.repository.name}`) };
  if (!isGood(snapshot)) return fate;
  const { name } = input.repository;
  const hold = (what: string): Fate => ({
    fate: 'withhold',
    reason: reason('last-good', `the newest ${what} in ${name}`),
  });
  if (snapshot === guards.newestGood && guards.storesNewer(snapshot) === undefined) return hold('good snapshot');
  if (snapshot === guards.newestOwn && guards.storesNewerOwn(snapshot) === undefined) return hold('captured snapshot');
  if (snapshot === guards.newestVerified && guards.verifiesNewer(snapshot) === undefined)
    return hold('verified snapshot');
  const { awaited } = guards;
  if (awaited !== undefined && byStart(snapshot, awaited) < 0) {
    const why = input.repository.unreadable.has(awaited.id) ? 'has no usable manifest in' : 'must be copied to';
    const message = `${formatInstant(awaited.startedAt)} ${why} ${name}${why.startsWith('must') ? ' first' : ''}`;
    return { fate: 'withhold', reason: reason('awaits-copy', message, { snapshot: awaited.id }) };
  }
  return fate;
}

function fateByRules({ view, kept, now, repository }: PruneInput, snapshot: SnapshotRecord, guards: PruneGuards): Fate {
  if (isBeingRemoved(snapshot))
    return { fate: 'prune', reason: reason('partial-upload', 'a removal was cut short before its manifest was gone') };
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
  const newer = hasNewerGood(snapshot, guards);
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
  if (rules !== undefined) {
    const names = new Set(rules.map((rule) => rule.split(' ', 1)[0]));
    return { fate: 'keep', reason: reason('retained', rules.join(', '), { rules: [...names] }) };
  }
  return {
    fate: 'prune',
    reason: reason('retention-exceeded', 'no retention rule keeps it', { retention: view.backup.retention }),
  };
}

const hasNewerGood = (snapshot: SnapshotRecord, { newestGood, storesNewer }: PruneGuards): boolean =>
  storesNewer(snapshot) !== undefined || (newestGood !== undefined && byStart(snapshot, newestGood) < 0);

function pruneStep(
  { view, repository, stored }: PruneInput,
  snapshot: SnapshotRecord,
  why: Reason,
  { storedHere, verifiedStores, newestVerified, verifiesNewer }: PruneGuards,
): Draft {
  const creates = stored.filter((step) => step.action === 'create');
  const verification = snapshot === newestVerified ? verifiesNewer(snapshot) : undefined;
  const needed = [...creates, ...storedHere, ...verifiedStores, ...(verification === undefined ? [] : [verification])];
  return draft(view.backup, {
    action: 'prune',
    repository: repository.name,
    snapshot: snapshot.id,
    kind: snapshot.kind,
    targets: Object.keys(snapshot.targets),
    reason: { ...why, data: { ...why.data, storedBytes: snapshot.storedBytes } },
    source: view.backup.sources['retention'] ?? view.backup.source,
    destructive: true,
    dependsOn: [...new Set(needed.map(stepKey))],
  });
}
