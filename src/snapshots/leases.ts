import type { Context, Host } from '../context.ts';
import { lockError, throwIfAborted } from '../errors.ts';
import type { Repository } from '../repositories/repository.ts';
import { createOwn } from './create-own.ts';
import { readIfPresent } from './identity.ts';
import type { HeldLease, LeaseOwner } from './inventory.ts';
import { leaseKey } from './keys.ts';
import { leaseNumbers } from './lease-numbers.ts';
import { leaseTimers, type LeaseTimers } from './lease-timers.ts';
import { parseLease, writeLease, type LeaseDocument } from './lease-document.ts';
import { keepLease, type Lease } from './held-lease.ts';

export interface LeaseRequest {
  readonly backup: string;
  readonly policy: string;
  /** What for, for people: `apply`, `destroy`. */
  readonly purpose: string;
  /** Id of the run that asks. */
  readonly run: string;
  /** How long this runner may be silent before others take over. Default a minute. */
  readonly leaseMs?: number;
  /** How long to wait for another runner. */
  readonly waitMs: number;
  /** How often to look while waiting. */
  readonly pollMs?: number;
}

export type LeaseContext = Pick<Context, 'clock' | 'host' | 'signal' | 'emit'> & {
  /** The process's own where absent. */
  readonly timers?: LeaseTimers;
};

const LEASE_MS = 60_000;
const POLL_MS = 1000;

/**
 * Takes the lease of a backup: at most one runner that renews it holds it. Waits for the holder up to `waitMs`, then
 * throws a `lock` error that names it. A holder that was silent for its whole lease time, as this process's own
 * monotonic clock sees it, or a dead process of this machine is no longer waited for.
 */
export async function acquireLease(
  repository: Repository,
  request: LeaseRequest,
  context: LeaseContext,
): Promise<Lease> {
  const { clock, host, timers = leaseTimers } = context;
  const started = clock.monotonicMs();
  const leaseMs = request.leaseMs ?? LEASE_MS;
  let seen: { readonly content: string; readonly since: number } | undefined;
  let refused = 0;
  let isTold = false;
  for (;;) {
    throwIfAborted(context.signal);
    // An answer may take long: what it tells was true when it was asked for at the latest, and not before it came.
    const asked = clock.monotonicMs();
    const newest = await newestLease(repository, request.backup);
    const now = clock.monotonicMs();
    if (newest !== undefined && seen?.content !== newest.content) seen = { content: newest.content, since: now };
    const silentMs = seen === undefined ? 0 : asked - seen.since;
    if (newest === undefined || isOver(newest, host) || silentMs >= (newest.lease?.leaseMs ?? leaseMs)) {
      const number = Math.max(newest?.number ?? 0, refused) + 1;
      const taken = await takeLease(repository, request, number, leaseMs, context);
      if (typeof taken === 'object') return taken;
      if (taken === 'refused') refused = number;
      continue;
    }
    const waitedMs = now - started;
    if (waitedMs >= request.waitMs) throw notObtained(request.backup, newest);
    if (!isTold) context.emit({ type: 'waiting', message: `waiting for ${describe(request.backup, newest)}` });
    isTold = true;
    await timers.wait(Math.min(request.pollMs ?? POLL_MS, request.waitMs - waitedMs), context.signal);
  }
}

export interface NewestLease {
  readonly number: number;
  readonly content: string;
  /** Undefined when the document cannot be read: then only its silence ends it. */
  readonly lease: LeaseDocument | undefined;
}

/** The lease of a backup with the highest number, whatever its state. */
async function newestLease(repository: Repository, backup: string): Promise<NewestLease | undefined> {
  const number = (await leaseNumbers(repository, backup)).at(-1);
  return number === undefined ? undefined : readLease(repository, backup, number);
}

export async function readLease(
  repository: Repository,
  backup: string,
  number: number,
): Promise<NewestLease | undefined> {
  const bytes = await readIfPresent(repository, leaseKey(backup, number));
  // One that vanished since it was listed has a successor.
  if (bytes === undefined) return newestLease(repository, backup);
  const parsed = parseLease(bytes, { backup, number });
  return { number, content: `${number} ${bytes.toString('base64')}`, lease: parsed.ok ? parsed.value : undefined };
}

const isOver = ({ lease }: NewestLease, host: Host): boolean =>
  lease !== undefined && (lease.state === 'released' || isDead(lease.owner, host));

/** True when the owner is a process of this machine and boot that no longer runs. */
export const isDead = (owner: LeaseOwner, host: Host): boolean =>
  host.bootId !== '' && owner.host === host.name && owner.bootId === host.bootId && !host.isAlive(owner.pid);

/** A lease, or that somebody else has the number, or that the store refuses it although nobody has it. */
async function takeLease(
  repository: Repository,
  request: LeaseRequest,
  number: number,
  leaseMs: number,
  context: LeaseContext,
): Promise<Lease | 'taken' | 'refused'> {
  const at = context.clock.now().toISOString();
  const document: LeaseDocument = {
    formatVersion: 1,
    backup: request.backup,
    number,
    owner: ownerOfRun(request, context.host),
    purpose: request.purpose,
    acquiredAt: at,
    renewedAt: at,
    state: 'held',
    leaseMs,
    renewals: 0,
  };
  const key = leaseKey(request.backup, number);
  const created = await createOwn(repository, key, writeLease(document));
  if (created !== 'created') return created;
  // Renewed from now on, however long the look takes.
  const lease = keepLease(repository, document, context);
  // A waiter that was paused may find a number free again whose successors are long in use.
  const numbers = await leaseNumbers(repository, request.backup);
  if (numbers.at(-1) !== number) {
    lease.abandon();
    if ((numbers.at(-1) ?? 0) > number) await repository.remove(key);
    return 'taken';
  }
  // The last two stay: the highest so that no number comes twice, the one before for who still holds it in good faith.
  for (const old of numbers.filter((one) => one < number - 1)) await repository.remove(leaseKey(request.backup, old));
  return lease;
}

const ownerOfRun = ({ policy, run }: Pick<LeaseRequest, 'policy' | 'run'>, host: Host): LeaseOwner => ({
  host: host.name,
  bootId: host.bootId,
  pid: host.pid,
  policy,
  run,
});

function describe(backup: string, { lease }: NewestLease): string {
  if (lease === undefined) return `the lease of ${backup}, whose document cannot be read`;
  const { owner, acquiredAt, purpose } = lease;
  return `the lease of ${backup}: ${purpose} by process ${owner.pid} on ${owner.host} since ${acquiredAt}`;
}

const notObtained = (backup: string, newest: NewestLease): Error =>
  lockError(`cannot obtain ${describe(backup, newest)}`, {
    hint: `wait longer with --lock-timeout; \`bkp unlock ${backup}\` ends the lease of a run that is gone`,
  });

/** True when a lease was released, has a successor, or its owner is dead. Silence alone does not tell. */
export async function isLeaseOver(
  repository: Repository,
  { backup, number }: Pick<HeldLease, 'backup' | 'number'>,
  host: Host,
): Promise<boolean> {
  const newest = await newestLease(repository, backup);
  return newest === undefined || newest.number > number || isOver(newest, host);
}

/**
 * Ends the lease of a backup whoever holds it: a later number takes its place, already released, and the old holder
 * stops at its next look. Gives what was ended; undefined when nothing was held.
 */
export async function breakLease(
  repository: Repository,
  request: Pick<LeaseRequest, 'backup' | 'policy' | 'run'>,
  context: LeaseContext,
): Promise<HeldLease | undefined> {
  const newest = await newestLease(repository, request.backup);
  if (newest === undefined || newest.lease?.state === 'released') return undefined;
  const lease = await takeLease(
    repository,
    { ...request, purpose: 'unlock', waitMs: 0 },
    newest.number + 1,
    LEASE_MS,
    context,
  );
  if (typeof lease === 'object') await lease.release();
  return newest.lease;
}
