import type { Plan } from '../reconcile/step.ts';
import { describeStep, destinationLines, groupSteps, totals } from './plan-parts.ts';

type Level = 'error' | 'warning' | 'notice';

/** GitHub shows about ten annotations of a kind per step. */
const MOST = 10;

/** A plan as workflow commands: errors, then what destroys or was held back by a guard, then the totals. */
export function formatPlanGithub(plan: Plan): string {
  const guards = ['max-prune', 'identity-missing', 'backup-removed'];
  const lines = [
    ...limit(plan.errors.map((notice) => annotation('error', notice.code, notice.message, null))),
    ...limit([
      ...groupSteps(plan.steps.filter((step) => step.destructive)).map(({ first, steps }) =>
        annotation(
          'warning',
          `${first.action} ${first.address}`,
          `${[describeStep(first, steps.length), ...destinationLines(first)].join('; ')}: ${first.reason.message}`,
          first.source,
        ),
      ),
      ...plan.withheld
        .filter((entry) => guards.includes(entry.reason.code))
        .map((entry) => annotation('warning', `withheld ${entry.address}`, entry.reason.message, entry.source)),
      ...plan.warnings.map((notice) => annotation('warning', notice.code, notice.message, null)),
    ]),
    annotation('notice', `bkp plan ${plan.policy.name}`, plan.steps.length === 0 ? 'no changes' : totals(plan), null),
  ];
  return lines.join('');
}

function limit(lines: readonly string[]): readonly string[] {
  if (lines.length <= MOST) return lines;
  return [...lines.slice(0, MOST - 1), annotation('warning', 'bkp plan', `${lines.length - MOST + 1} more`, null)];
}

function annotation(level: Level, title: string, message: string, source: Plan['steps'][number]['source']): string {
  const place = source === null ? [] : [`file=${property(source.file)}`, `line=${source.line}`, `col=${source.column}`];
  return `::${level} ${[...place, `title=${property(title)}`].join(',')}::${data(message)}\n`;
}

const data = (text: string): string => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
