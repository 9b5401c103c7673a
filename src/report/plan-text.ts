import { count, formatInstant } from '../reconcile/phrases.ts';
import { ACTIONS, type Plan, type PlanNotice, type Step } from '../reconcile/step.ts';
import { diffDefinitions } from './definition-diff.ts';
import { groupNotices, othersText } from './notice-groups.ts';
import { formatPlanFooter } from './plan-footer.ts';
import {
  describeFilters,
  describeStep,
  destinationLines,
  groupSteps,
  SYMBOLS,
  TINTS,
  type StepGroup,
} from './plan-parts.ts';
import { pad } from './table.ts';
import type { Paint, Tint } from './terminal.ts';

/** What the first line calls a plan: of the policy, or of one restore asked for on the command line. */
export type PlanTitle = 'plan' | 'restore';

/** A plan for people: what will happen, why, and by which line of the policy. Ends with a newline. */
export function formatPlanText(plan: Plan, paint: Paint, title: PlanTitle = 'plan'): string {
  const calm = plan.steps.filter((step) => !step.destructive);
  const destructive = plan.steps.filter((step) => step.destructive);
  const sections = [
    header(plan, title, paint),
    notices(plan.errors, 'Error', 'red', paint),
    notices(
      plan.warnings.filter((notice) => !isMild(notice)),
      'Warning',
      'yellow',
      paint,
    ),
    notices(plan.warnings.filter(isMild), 'Note', 'cyan', paint),
    plan.steps.length + plan.withheld.length === 0 ? '' : legend(plan, paint),
    groupSteps(calm)
      .map((group) => stepBlock(group, plan, paint))
      .join(''),
    destructive.length === 0 ? '' : banner(destructive, paint),
    groupSteps(destructive)
      .map((group) => stepBlock(group, plan, paint))
      .join(''),
    withheld(plan, paint),
    formatPlanFooter(plan, paint),
  ];
  return sections.filter((section) => section !== '').join('\n');
}

function header(plan: Plan, title: PlanTitle, paint: Paint): string {
  const { path, sha256, name } = plan.policy;
  const at = plan.at === null ? '' : `   as of ${formatInstant(plan.at)}`;
  const filters = describeFilters(plan);
  const policy = sha256 === '' ? path : `${path} (sha256 ${sha256.slice(0, 8)})`;
  const first = `${paint('bold', `bkp ${title}  ${name}`)}   ${paint('dim', `${policy}, ${formatInstant(plan.generatedAt)}`)}${at}\n`;
  return filters === ''
    ? first
    : `${first}${paint('yellow', `Filtered: ${filters}; other differences are not shown.`)}\n`;
}

/** Notices that nothing is wrong with. */
const MILD: readonly string[] = ['foreign', 'will-be-made'];
const isMild = ({ code }: PlanNotice): boolean => MILD.includes(code);

function notices(list: readonly PlanNotice[], label: string, tint: Tint, paint: Paint): string {
  return groupNotices(list)
    .map((group) => {
      const { message, hint } = group.first;
      const below = [othersText(group), hint === null ? undefined : paint('dim', `hint: ${hint}`)];
      const lines = below.filter((line) => line !== undefined).map((line) => `      ${line}\n`);
      return `${paint(tint, `${label}:`)} ${message}\n${lines.join('')}`;
    })
    .join('');
}

function legend(plan: Plan, paint: Paint): string {
  const present = ACTIONS.filter((action) => plan.steps.some((step) => step.action === action));
  const parts = present.map((action) => `${paint(TINTS[action], SYMBOLS[action])} ${action}`);
  const held = plan.withheld.length === 0 ? [] : [`${paint('dim', '.')} withheld`];
  return `Actions:  ${[...parts, ...held].join('   ')}\n`;
}

function stepBlock(group: StepGroup, plan: Plan, paint: Paint): string {
  const { first, steps } = group;
  const tint = TINTS[first.action];
  const title = `  ${paint(tint, pad(SYMBOLS[first.action], 3))} ${paint(tint, pad(first.action, 7))}  ${paint('bold', first.address)}  ${describeStep(first, steps.length)}`;
  const below = [
    ...(steps.length === 1 ? [] : steps.map((step) => step.snapshot ?? '')),
    ...destinationLines(first),
    reasonText(first.reason, first.source, paint),
    ...diffDefinitions(first.reason.data['before'], first.reason.data['after'], paint),
    ...dependencies(first, plan, paint),
  ];
  return `${title.trimEnd()}\n${below.map((line) => `${INDENT}${line}\n`).join('')}`;
}

const INDENT = ' '.repeat(17);

function dependencies(step: Step, plan: Plan, paint: Paint): readonly string[] {
  if (!step.destructive || step.dependsOn.length === 0) return [];
  const after = step.dependsOn
    .flatMap((id) => plan.steps.filter((other) => other.id === id))
    .map((other) => `${other.action} ${other.address}`);
  return [paint('dim', `only after ${[...new Set(after)].join(', ')}`)];
}

function reasonText(why: Step['reason'], source: Step['source'], paint: Paint): string {
  const where = source === null ? '' : `  ${paint('dim', `${source.file}:${source.line}:${source.column}`)}`;
  return `${paint('cyan', why.code)}: ${why.message}${where}`;
}

function banner(destructive: readonly Step[], paint: Paint): string {
  const prunes = destructive.filter((step) => step.action === 'prune').length;
  const overwritten = destructive
    .flatMap((step) => Object.values(step.destination?.targets ?? {}))
    .filter((target) => target.occupied && target.mode !== 'new').length;
  const cleaned = destructive.filter((step) => step.action === 'clean').length;
  const parts = [
    prunes > 0 ? `${count(prunes, 'snapshot')} will be pruned` : '',
    overwritten > 0 ? `${count(overwritten, 'destination')} will be changed` : '',
    cleaned > 0 ? `${count(cleaned, 'old state')} will be removed` : '',
  ];
  return paint('red', `WARNING, destructive: ${parts.filter((part) => part !== '').join(', ')}\n`);
}

function withheld(plan: Plan, paint: Paint): string {
  const groups = new Map<string, { entry: Plan['withheld'][number]; ids: string[] }>();
  for (const entry of plan.withheld) {
    const key = [entry.action, entry.address, entry.reason.code, entry.reason.message].join('\n');
    const group = groups.get(key) ?? { entry, ids: [] };
    if (entry.snapshot !== null) group.ids.push(entry.snapshot);
    groups.set(key, group);
  }
  return [...groups.values()]
    .map(({ entry, ids }) => {
      const what = ids.length > 1 ? count(ids.length, 'snapshot') : (ids[0] ?? '');
      const title = `  ${paint('dim', '.   withheld')} ${paint('bold', entry.address)}  ${entry.action} ${what}`;
      return `${title.trimEnd()}\n${INDENT}${reasonText(entry.reason, entry.source, paint)}\n`;
    })
    .join('');
}
