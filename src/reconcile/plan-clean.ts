import type { ResolvedPolicy } from '../policy/resolved-policy.ts';
import type { Remains } from '../snapshots/inventory.ts';
import { ownNames } from './backup-view.ts';
import { addressOf, type Draft, type Drafts, unaskedDraft } from './draft.ts';
import type { Observation, ObservedSetAside } from './observation.ts';
import { lockReason } from './plan-lock.ts';
import { missingSnapshots } from './plan-missing.ts';
import { count, formatInstant } from './phrases.ts';
import { planReferenceCleans } from './plan-references.ts';
import { reason, type Reason } from './reasons.ts';
import type { PlanNotice, WithheldStep } from './step.ts';

/**
 * What captures and removals that were cut short left, and old states whose time is over. What a copy left stays as long
 * as a copy is wanted (`copies`, carried out now or not): the next one goes on from there.
 */
export function planCleans(
  policy: ResolvedPolicy,
  observation: Observation,
  now: Date,
  copies: ReadonlySet<string> = new Set(),
): Partial<Drafts> {
  const names = new Set(ownNames(policy));
  // A whole snapshot that lost its manifest is drift: its files may be all that is left of it.
  const lost = new Set([
    ...copies,
    ...missingSnapshots(policy, observation).map(({ repository, id }) => copyOf(repository, id)),
  ]);
  const steps: Draft[] = [];
  const withheld: WithheldStep[] = [];
  const warnings: PlanNotice[] = [];
  for (const repository of observation.repositories) {
    if (repository.state !== 'ready') continue;
    for (const remains of repository.inventory.remains) {
      if (remains.policy !== null && !names.has(remains.policy)) continue;
      if (remains.kind === 'unknown') warnings.push(unknownRemains(repository.name, remains));
      else if (isOver(remains, now) && !lost.has(copyOf(repository.name, remains.id))) {
        const locked = lockReason(remains.lockedUntil, repository.name, now);
        if (locked === null) steps.push(cleanStep(repository.name, remains));
        else withheld.push(lockedRemains(repository.name, remains, locked));
      }
    }
  }
  const expired = observation.setAside.filter(({ record }) => new Date(record.until) <= now);
  const orphans = planReferenceCleans(policy, observation, steps);
  return { steps: [...steps, ...expired.map(expiredStep), ...orphans], withheld, warnings };
}

/** Nobody works on it, and nobody is waited for. */
const isOver = ({ inProgress, keptUntil = '' }: Remains, now: Date): boolean =>
  !inProgress && keptUntil <= now.toISOString();

/** Names a snapshot in one repository. */
export const copyOf = (repository: string, id: string): string => `${repository} ${id}`;

const cleanStep = (repository: string, remains: Remains): Draft =>
  unaskedDraft({
    action: 'clean',
    backup: remains.backup,
    repository,
    snapshot: remains.id,
    reason:
      remains.keptUntil === undefined
        ? reason('partial-upload', cutShort(remains), { keys: remains.keys.length })
        : reason('expired', `a place to upload to, kept until ${formatInstant(remains.keptUntil)}`),
  });

const cutShort = ({ kind, keys }: Remains): string =>
  kind === 'begun'
    ? `a capture was cut short: ${count(keys.length, 'file')} without a manifest`
    : `a removal was cut short: ${count(keys.length, 'file')} left`;

const lockedRemains = (repository: string, { backup, id }: Remains, why: Reason): WithheldStep => ({
  action: 'clean',
  address: addressOf(backup, repository),
  snapshot: id,
  reason: why,
  source: null,
});

const expiredStep = ({ repository, backup, record }: ObservedSetAside): Draft =>
  unaskedDraft({
    action: 'clean',
    backup,
    repository,
    artifacts: [record.reference],
    reason: reason(
      'expired',
      `${record.reference} was set aside by a restore, kept until ${formatInstant(record.until)}`,
      { type: record.type, reference: record.reference },
    ),
    destructive: true,
  });

const unknownRemains = (repository: string, remains: Remains): PlanNotice => ({
  code: 'drift',
  message: `snapshots/${remains.backup}/${remains.id} in ${repository} has neither a manifest nor a list of its files; it is left alone`,
  hint: null,
  address: `${remains.backup}@${repository}`,
});
