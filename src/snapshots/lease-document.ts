import { parseDocument, writeDocument, type Parsed } from './document.ts';
import { ownerOf } from './begin.ts';
import type { HeldLease } from './inventory.ts';

/** `locks/<backup>.<n>.json`. Changes with every renewal, so that a waiter sees that its owner lives. */
export interface LeaseDocument extends HeldLease {
  readonly formatVersion: 1;
  readonly state: 'held' | 'released';
  /** How long the content may stay unchanged before others may take over. */
  readonly leaseMs: number;
  readonly renewals: number;
}

export const writeLease = (lease: LeaseDocument): Buffer => writeDocument(lease);

/** Reads a lease stored under the given number. */
export function parseLease(bytes: Uint8Array, name: Pick<HeldLease, 'backup' | 'number'>): Parsed<LeaseDocument> {
  return parseDocument(bytes, 1, (fields) => {
    const lease: LeaseDocument = {
      formatVersion: 1,
      backup: fields.text('backup'),
      number: fields.whole('number'),
      owner: ownerOf(fields.object('owner')),
      purpose: fields.text('purpose'),
      acquiredAt: fields.time('acquiredAt'),
      renewedAt: fields.time('renewedAt'),
      state: fields.oneOf('state', 'held', 'released'),
      leaseMs: fields.whole('leaseMs'),
      renewals: fields.whole('renewals'),
    };
    if (lease.backup !== name.backup || lease.number !== name.number) {
      throw new Error(`it is lease ${lease.number} of ${lease.backup}`);
    }
    return lease;
  });
}
