import { count, formatInstant } from '../reconcile/phrases.ts';
import { ACTIONS, type Plan, type PlanNotice, type Step } from '../reconcile/step.ts';
import { diffDefinitions } from './definition-diff.ts';
import { formatBytes } from '../format-bytes.ts';
import { describeFilters, describeStep, groupSteps, SYMBOLS, TINTS, totals, type StepGroup } from './plan-parts.ts';
import { pad } from './table.ts';
import type { Paint } from './terminal.ts';

/** A plan for people: what will happen, why, and by which line of the policy. Ends with a newline. */
export function formatPlanText(plan: Plan, paint: Paint): string {
  const calm = plan.steps.filter((step) => !step.destructive);
  const destructive = plan.steps.filter((step) => step.destructive);
  const sections = [
    header(plan, paint),
    notices(plan.errors, 'Error', 'red', paint),
    notices(plan.warnings, 'Note', 'yellow', paint),
    plan.steps.length + plan.withheld.length === 0 ? '' : legend(plan, paint),
    groupSteps(calm)
      .map((group) => stepBlock(group, plan, paint))
      .join(''),
    destructive.length === 0 ? '' : banner(destructive, paint),
    groupSteps(destructive)
      .map((group) => stepBlock(group, plan, paint))
      .join(''),
    withheld(plan, paint),
    footer(plan, paint),
  ];
  return sections.filter((section) => section !== '').join('\n');
}

function header(plan: Plan, paint: Paint): string {
  const { path, sha256, name } = plan.policy;
  const at = plan.at === null ? '' : `   as of ${formatInstant(plan.at)}`;
  const filters = describeFilters(plan);
  const first = `${paint('bold', `bkp plan  ${name}`)}   ${paint('dim', `${path} (sha256 ${sha256.slice(0, 8)}), ${formatInstant(plan.generatedAt)}`)}${at}\n`;
  return filters === ''
    ? first
    : `${first}${paint('yellow', `Filtered: ${filters}; other differences are not shown.`)}\n`;
}

function notices(list: readonly PlanNotice[], label: string, tint: 'red' | 'yellow', paint: Paint): string {
  return list
    .map(
      ({ message, hint }) =>
        `${paint(tint, `${label}:`)} ${message}\n${hint === null ? '' : `      ${paint('dim', `hint: ${hint}`)}\n`}`,
    )
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
  const ids = steps.length === 1 ? [] : steps.map((step) => `                 ${step.snapshot ?? ''}\n`);
  const diff = diffDefinitions(first.reason.data['before'], first.reason.data['after'], paint)
    .map((line) => `                 ${line}\n`)
    .join('');
  return `${title.trimEnd()}\n${ids.join('')}${reasonLine(first.reason, first.source, paint)}${diff}${dependencies(first, plan, paint)}`;
}

function dependencies(step: Step, plan: Plan, paint: Paint): string {
  if (!step.destructive || step.dependsOn.length === 0) return '';
  const after = step.dependsOn
    .flatMap((id) => plan.steps.filter((other) => other.id === id))
    .map((other) => `${other.action} ${other.address}`);
  return `                 ${paint('dim', `only after ${[...new Set(after)].join(', ')}`)}\n`;
}

function reasonLine(why: Step['reason'], source: Step['source'], paint: Paint): string {
  const where = source === null ? '' : `  ${paint('dim', `${source.file}:${source.line}:${source.column}`)}`;
  return `                 ${paint('cyan', why.code)}: ${why.message}${where}\n`;
}

function banner(destructive: readonly Step[], paint: Paint): string {
  const prunes = destructive.filter((step) => step.action === 'prune').length;
  const overwritten = destructive.filter((step) => step.action === 'restore').length;
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
      return `${title.trimEnd()}\n${reasonLine(entry.reason, entry.source, paint)}`;
    })
    .join('');
}

function footer(plan: Plan, paint: Paint): string {
  if (plan.steps.length === 0) {
    const held = plan.withheld.length === 0 ? '' : ` ${plan.withheld.length} withheld.`;
    const label = plan.errors.length > 0 ? 'Nothing planned.' : 'No changes.';
    return `${paint('green', label)} ${count(plan.keep.filter((kept) => kept.reason.code === 'retained').length, 'snapshot')} kept.${held}\n`;
  }
  const read = plan.steps.reduce((sum, step) => sum + step.estimate.readBytes, 0);
  const written = plan.steps.reduce((sum, step) => sum + step.estimate.writeBytes, 0);
  const bytes = read + written === 0 ? '' : ` Reads about ${formatBytes(read)}, writes about ${formatBytes(written)}.`;
  return `${paint('bold', `Plan: ${totals(plan)}`)}${bytes}\n`;
}
