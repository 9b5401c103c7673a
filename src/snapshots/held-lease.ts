import type { Context } from '../context.ts';
import { lockError, type BkpError } from '../errors.ts';
import type { Repository } from '../repositories/repository.ts';
import type { LeaseOwner } from './inventory.ts';
import { leaseKey } from './keys.ts';
import { leaseNumbers } from './lease-numbers.ts';
import { writeLease, type LeaseDocument } from './lease-document.ts';
import { leaseTimers, type LeaseTimers } from './lease-timers.ts';

/** A lease that this process holds and renews until it is released or lost: hooks and cleaning go on after a signal. */
export interface Lease {
  readonly backup: string;
  readonly number: number;
  readonly owner: LeaseOwner;
  /** Aborted with a `lock` error when somebody else took over: long work can stop early. */
  readonly lost: AbortSignal;
  /** Looks for a successor; throws a `lock` error when there is one. Due before every manifest, mark and delete. */
  assertHeld(): Promise<void>;
  /** Stops renewing and lets others take over at once. Safe to call twice, and after the lease was lost. */
  release(): Promise<void>;
}

/** Renewals within one lease time: two may fail before others can take over. */
const RENEWALS_PER_LEASE = 3;

/** A lease of which nobody else knows yet. */
export interface NewLease extends Lease {
  /** Stops renewing and leaves the document as it is: the number was not good. */
  abandon(): void;
}

/** Renews a lease that was just created. The timer does not keep the process alive. */
export function keepLease(
  repository: Repository,
  created: LeaseDocument,
  { clock, timers = leaseTimers }: Pick<Context, 'clock'> & { readonly timers?: LeaseTimers },
): NewLease {
  const { backup, number } = created;
  const loss = new AbortController();
  let document = created;
  let isReleased = false;
  let writing: Promise<void> = Promise.resolve();

  const lose = (successor: number | undefined): BkpError => {
    stopBeating();
    const error = lostTo(created, successor);
    if (!loss.signal.aborted) loss.abort(error);
    return error;
  };
  const look = async (): Promise<void> => {
    const newest = (await leaseNumbers(repository, backup)).at(-1);
    if (newest !== number) throw lose(newest);
  };
  const write = (state: LeaseDocument['state']): Promise<void> => {
    const next = writing.then(async () => {
      if (isReleased) return;
      await look();
      if (state === 'released') isReleased = true;
      document = { ...document, state, renewedAt: clock.now().toISOString(), renewals: document.renewals + 1 };
      await repository.put(leaseKey(backup, number), writeLease(document));
    });
    writing = next.catch(() => undefined);
    return next;
  };
  const stopBeating = timers.every(created.leaseMs / RENEWALS_PER_LEASE, () => {
    // A renewal that fails is tried again; if the silence gets too long, others take over and `assertHeld` sees it.
    write('held').catch(() => undefined);
  });

  return {
    backup,
    number,
    owner: created.owner,
    lost: loss.signal,
    assertHeld: async () => {
      if (isReleased) throw lockError(`cannot go on with ${backup}: its lease was released`);
      if (loss.signal.aborted) throw lostTo(created, undefined);
      await look();
    },
    abandon: () => {
      isReleased = true;
      stopBeating();
    },
    release: async () => {
      stopBeating();
      if (isReleased || loss.signal.aborted) return;
      try {
        await write('released');
      } catch (error) {
        if (!loss.signal.aborted) throw error;
      }
    },
  };
}

const lostTo = ({ backup, number }: LeaseDocument, successor: number | undefined): BkpError =>
  lockError(
    `cannot go on with ${backup}: another runner took over${successor === undefined ? '' : ` (lease ${successor} after ${number})`}`,
    {
      hint: 'this run was silent for longer than its lease, or `bkp unlock` ended it; what it stored is safe, run it again',
    },
  );
