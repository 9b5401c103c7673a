import { guardError, notFoundError } from '../errors.ts';
import type { Context } from '../context.ts';
import type { Repository } from '../repositories/repository.ts';
import type { Lease } from '../snapshots/held-lease.ts';
import { addMark } from '../snapshots/marks.ts';
import type { SnapshotName } from '../snapshots/keys.ts';
import { assertReleasable, releaseSnapshot, type ReleaseRequest } from '../snapshots/release-snapshot.ts';
import { isGood, protection } from '../snapshots/standing.ts';
import { ownNames } from './backup-view.ts';
import { lockReason } from './plan-lock.ts';
import type { BackupExecution } from './execution.ts';
import { releaseLeases } from './execution-leases.ts';
import type { FoundSnapshot } from './find-snapshot.ts';
import { findStored } from './find-stored.ts';
import { observeRepositories } from './observe-repositories.ts';
import { identitiesOf } from './remembered-identities.ts';
import { restoringNow } from './restoring-runs.ts';
import { openRun, recordOrTell } from './run-record-writer.ts';
import { releaseReferences } from './release-references.ts';
import type { Session } from './session.ts';
import { takeLease } from './take-lease.ts';
import { ended } from './step-result.ts';
import type { Step } from './step.ts';
import { reason } from './reasons.ts';
import { addressOf, unaskedDraft } from './draft.ts';

export interface DestroyOptions {
  /** Also the last good one: the full name was given again. */
  readonly force: boolean;
  readonly lockTimeoutMs: number;
}

/** Why a snapshot may not be removed by hand, or null. */
export function destroyObstacle(found: FoundSnapshot, { host, clock }: Context, force: boolean): Error | null {
  const name = `${found.backup.name}@${found.id}`;
  const marked = found.places.map(({ record }) => protection(record)).find((one) => one !== null);
  if (marked !== undefined && marked !== null)
    return guardError(`cannot destroy ${name}: it is protected${marked.reason === '' ? '' : `: ${marked.reason}`}`, {
      hint: `\`bkp unprotect ${name}\` first`,
    });
  if (found.backup.protect || found.places.some(({ record }) => record.protect))
    return guardError(`cannot destroy ${name}: backup ${found.backup.name} has \`protect: true\``, {
      hint: 'retention still works; change the policy to destroy by hand',
    });
  const locked = found.places
    .map(({ name: place, record }) => lockReason(record.lockedUntil, place, clock.now()))
    .find((one) => one !== null);
  if (locked !== undefined && locked !== null)
    return guardError(`cannot destroy ${name}: ${locked.message}`, {
      hint: 'nobody can remove it there before; --repository names one where it is not locked',
    });
  if (force) return null;
  const hint = `--force ${name} removes it all the same`;
  const unsigned = found.places.find(({ record }) => record.unsigned !== undefined);
  if (unsigned !== undefined)
    return guardError(`cannot destroy ${name}: in ${unsigned.name} ${unsigned.record.unsigned}`, { hint });
  if (restoringNow(found.view.runs, host).has(found.id))
    return guardError(`cannot destroy ${name}: it is being restored`, { hint });
  const others = found.view.good.filter(({ record }) => record.kind === 'backup' && record.id !== found.id);
  const isGoodOne = found.places.some(({ record }) => isGood(record));
  const isNewest = others.every(({ record }) => record.startedAt < (found.places[0]?.record.startedAt ?? ''));
  if (isGoodOne && isNewest)
    return guardError(`cannot destroy ${name}: it is the newest good snapshot of ${found.backup.name}`, { hint });
  return null;
}

/**
 * Removes a snapshot from every repository of the session that has it, under the lease of its backup, and remembers in
 * the others that it must not come back. Gives the names of the repositories that had it.
 */
export async function destroySnapshot(
  session: Session,
  found: FoundSnapshot,
  options: DestroyOptions,
): Promise<readonly string[]> {
  const reference = `${found.backup.name}@${found.id}`;
  if (found.places.length === 0) throw notFoundError(`cannot destroy ${reference}: no repository has it`);
  const leases = new Map<string, { readonly repository: Repository; readonly lease: Lease }>();
  const run = session.newId(session.context.clock.now());
  try {
    for (const { name, state } of found.view.repositories) {
      const repository = session.repositories.find((opened) => opened.name === name)?.repository;
      if (state !== 'ready' || repository === undefined || repository === null) continue;
      const request = { backup: found.backup.name, purpose: 'destroy', run, waitMs: options.lockTimeoutMs };
      leases.set(name, { repository, lease: await takeLease(session, repository, request) });
    }
    const unshared = new Set(ownNames(found.backup));
    const observation = await observeRepositories({ ...session, unshared });
    const now = await findStored(session, observation, reference);
    const obstacle = destroyObstacle(now, session.context, options.force);
    if (obstacle !== null) throw obstacle;
    return await release(session, now, identitiesOf(observation), leases, options);
  } finally {
    await releaseLeases(leases);
  }
}

async function release(
  session: Session,
  { backup, id, places }: FoundSnapshot,
  repositories: Readonly<Record<string, string>>,
  leases: BackupExecution['repositories'],
  { force }: DestroyOptions,
): Promise<readonly string[]> {
  const { context, policy } = session;
  const reason = 'destroyed by hand';
  const folder = places[0]?.record.backup ?? backup.name;
  // All of it or nothing: a store may refuse what no manifest and no mark tells of.
  for (const { name, record } of places) {
    const held = leases.get(name);
    if (held === undefined) throw guardError(`cannot destroy ${backup.name}@${id} in ${name}: no lease is held there`);
    await assertReleasable(held.repository, releaseOf(policy, record, reason), context);
  }
  // First where it is not: whatever happens next, nothing is copied there.
  for (const [name, { repository, lease }] of leases) {
    if (places.some((place) => place.name === name)) continue;
    const data = { keys: [], reason, run: lease.owner.run };
    await addMark(repository, { backup: folder, id, policy: policy.name, kind: 'released', data }, lease, context);
  }
  const done: string[] = [];
  for (const { name, record } of places) {
    const held = leases.get(name);
    if (held === undefined) continue;
    const step = destroyedStep(backup.name, id, name);
    const run = await openRun(session, held.repository, {
      id: held.lease.owner.run,
      backup: backup.name,
      command: 'destroy',
      startedAt: context.clock.now(),
      tick: null,
      captures: null,
      owedHooks: [],
      repositories,
      planned: [step],
    });
    const request = { ...releaseOf(policy, record, reason), acceptUnsigned: force };
    await releaseSnapshot(held.repository, request, held.lease, context);
    await recordOrTell(session, () => run.finish('done', [ended(step, 'done')], []));
    done.push(name);
  }
  const references = places.flatMap(({ record }) => record.references ?? []);
  const unique = [...new Map(references.map((one) => [one.id, one])).values()];
  for (const message of await releaseReferences(session, { backup: folder, id }, unique))
    context.emit({ type: 'warning', message });
  return done;
}

const releaseOf = (policy: Session['policy'], { backup, id }: SnapshotName, reason: string): ReleaseRequest => ({
  backup,
  id,
  policyNames: ownNames(policy),
  reason,
});

/** Run records tell what happened in the words of a plan. */
const destroyedStep = (backup: string, id: string, repository: string): Step => ({
  id: 's1',
  address: addressOf(backup, repository),
  ...unaskedDraft({
    action: 'prune',
    backup,
    repository,
    snapshot: id,
    reason: reason('requested', 'destroyed by hand'),
    destructive: true,
  }),
});
