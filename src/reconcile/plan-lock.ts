import { formatInstant } from './phrases.ts';
import { reason, type Reason } from './reasons.ts';

/** Why the store would refuse to remove something at a moment; null where it would not. */
export function lockReason(lockedUntil: string | null | undefined, repository: string, now: Date): Reason | null {
  if (lockedUntil === undefined) return null;
  if (lockedUntil === null) return reason('locked-until', `a legal hold in ${repository} keeps it`, { until: null });
  if (new Date(lockedUntil) <= now) return null;
  return reason('locked-until', `${repository} keeps it until ${formatInstant(lockedUntil)}`, { until: lockedUntil });
}
