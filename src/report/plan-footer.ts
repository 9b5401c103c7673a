import { formatBytes } from '../format-bytes.ts';
import { count } from '../reconcile/phrases.ts';
import type { Plan } from '../reconcile/step.ts';
import { totals } from './plan-parts.ts';
import type { Paint } from './terminal.ts';

/** Withheld for one of these reasons, all is as the policy or the user wants it. */
const CALM: readonly string[] = [
  'disabled',
  'protected',
  'last-good',
  'filtered',
  'backup-removed',
  'done',
  'locked-until',
];

/** The last line of a plan: the totals, or why there is nothing to total. */
export function formatPlanFooter(plan: Plan, paint: Paint): string {
  if (plan.errors.some((notice) => notice.code === 'refused'))
    return `${paint('red', 'Refused:')} this restore would not begin; nothing would be changed.\n`;
  if (plan.steps.length > 0) return `${paint('bold', `Plan: ${totals(plan)}`)}${bytesOf(plan)}\n`;
  const held = plan.withheld.length === 0 ? '' : ` ${plan.withheld.length} withheld.`;
  return `${emptyVerdict(plan, paint)} ${count(keptSnapshots(plan), 'snapshot')} kept.${held}\n`;
}

function emptyVerdict(plan: Plan, paint: Paint): string {
  if (plan.errors.length > 0) return paint('red', 'Nothing could be planned.');
  const stuck = plan.withheld.some((entry) => !CALM.includes(entry.reason.code));
  return stuck ? paint('yellow', 'Nothing can be done now.') : paint('green', 'No changes.');
}

/** A snapshot in two repositories is one. */
const keptSnapshots = (plan: Plan): number =>
  new Set(plan.keep.filter((kept) => kept.reason.code === 'retained').map((kept) => kept.snapshot)).size;

function bytesOf({ steps }: Plan): string {
  const read = steps.reduce((sum, step) => sum + step.estimate.readBytes, 0);
  const written = steps.reduce((sum, step) => sum + step.estimate.writeBytes, 0);
  return read + written === 0 ? '' : ` Reads about ${formatBytes(read)}, writes about ${formatBytes(written)}.`;
}
