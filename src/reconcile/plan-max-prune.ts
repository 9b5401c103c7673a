import { addressOf, type Draft, type Drafts } from './draft.ts';
import { count } from './phrases.ts';
import { reason } from './reasons.ts';

/**
 * Lets the prunes of one backup in one repository pass, or withholds them all when they are more than allowed: by
 * default more than ten and more than a fifth of the `total` snapshots there. A removal that was cut short was decided
 * before and is finished.
 */
export function limitPrunes(prunes: readonly Draft[], total: number, maxPrune: number | null): Partial<Drafts> {
  const limit = maxPrune ?? Math.max(10, Math.ceil(0.2 * total));
  const begun = prunes.filter((step) => step.reason.code === 'partial-upload');
  const fresh = prunes.filter((step) => !begun.includes(step));
  if (fresh.length <= limit) return { steps: prunes };
  const message = `${count(fresh.length, 'prune')} at once, more than ${limit} (--max-prune ${fresh.length} lets them go)`;
  const tooMany = reason('max-prune', message, { prunes: fresh.length, limit });
  return {
    steps: begun,
    withheld: fresh.map((step) => ({
      action: 'prune',
      address: addressOf(step.backup, step.repository),
      snapshot: step.snapshot,
      reason: tooMany,
      source: step.source,
    })),
  };
}
