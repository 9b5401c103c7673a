import { count } from '../reconcile/phrases.ts';
import { ACTIONS, type Action, type Plan, type Step } from '../reconcile/step.ts';
import { formatBytes } from '../format-bytes.ts';
import { formatTable } from './table.ts';
import type { Tint } from './terminal.ts';

/** One symbol per action, different without colour. */
export const SYMBOLS: Readonly<Record<Action, string>> = {
  create: '+',
  copy: '>',
  replace: '+/-',
  verify: '?',
  restore: '<',
  prune: '-',
  clean: 'x',
};

export const TINTS: Readonly<Record<Action, Tint>> = {
  create: 'green',
  copy: 'green',
  replace: 'yellow',
  verify: 'blue',
  restore: 'magenta',
  prune: 'red',
  clean: 'yellow',
};

export interface StepGroup {
  readonly first: Step;
  readonly steps: readonly Step[];
}

/** Neighbouring steps that differ in their snapshot only, so that twenty prunes for one reason are one block. */
export function groupSteps(steps: readonly Step[]): readonly StepGroup[] {
  const groups: { first: Step; steps: Step[] }[] = [];
  for (const step of steps) {
    const last = groups.at(-1);
    const alike =
      last !== undefined &&
      step.action === 'prune' &&
      last.first.action === 'prune' &&
      last.first.address === step.address &&
      last.first.reason.message === step.reason.message;
    if (alike) last.steps.push(step);
    else groups.push({ first: step, steps: [step] });
  }
  return groups;
}

/** What a step acts on, in a few words. */
export function describeStep(step: Step, howMany: number): string {
  const size = step.estimate.readBytes > 0 ? `, about ${formatBytes(step.estimate.readBytes)}` : '';
  switch (step.action) {
    case 'create':
      return `${step.targets.join(', ')}${size}`;
    case 'copy':
    case 'replace':
      return `${step.snapshot ?? 'the new snapshot'} from ${step.from ?? '?'}${size}`;
    case 'verify':
      return `${step.snapshot ?? 'the new snapshot'}${step.reason.data['deep'] === true ? ', deep' : ''}${size}`;
    case 'restore':
      return `${step.snapshot ?? 'the new snapshot'}${size}`;
    case 'prune':
      return howMany === 1 ? (step.snapshot ?? '') : count(howMany, 'snapshot');
    case 'clean':
      return step.snapshot ?? step.artifacts.join(', ');
  }
}

/** One line per target of a restore: how, over what, and last, because it may be long, where. */
export function destinationLines(step: Step): readonly string[] {
  const targets = Object.entries(step.destination?.targets ?? {});
  const rows = targets.map(([name, { place, mode, found, paths = [], changedInPlace = false }]) => [
    name,
    `mode ${mode}${changedInPlace ? ' in place' : ''}${paths.length === 0 ? '' : ` of ${paths.join(', ')}`}`,
    `there now: ${found}`,
    `-> ${place}`,
  ]);
  return formatTable(rows)
    .split('\n')
    .filter((line) => line !== '');
}

/** `1 create, 2 prune. 1 withheld.`: the numbers of listed steps. */
export function totals(plan: Plan): string {
  const parts = ACTIONS.filter((action) => plan.summary[action] > 0).map(
    (action) => `${plan.summary[action]} ${action}`,
  );
  const held = plan.withheld.length === 0 ? '' : ` ${plan.withheld.length} withheld.`;
  const drift = plan.warnings.filter((notice) => notice.code === 'drift').length;
  return `${parts.join(', ') || 'nothing'}.${held}${drift === 0 ? '' : ` ${drift} drift.`}`;
}

/** The filters in force, for people; empty when there are none. */
export function describeFilters({ filters }: Plan): string {
  return [
    filters.backups === undefined ? '' : `backup ${filters.backups.join(', ')}`,
    filters.only === undefined ? '' : `only ${filters.only.join(', ')}`,
    filters.prune === false ? 'no prune' : '',
  ]
    .filter((part) => part !== '')
    .join('; ');
}
