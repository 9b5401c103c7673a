import { count } from '../reconcile/phrases.ts';
import type { Plan } from '../reconcile/step.ts';
import { isGuarded, type ApplyResult, type StepResult } from '../reconcile/step-result.ts';
import { pad } from './table.ts';
import type { Paint } from './terminal.ts';

/** What a run came to: every step that did not go well by name, then the numbers. Ends with a newline. */
export function formatApply({ steps }: ApplyResult, plan: Plan, verb: string, paint: Paint): string {
  const of = (...outcomes: readonly StepResult['outcome'][]): readonly StepResult[] =>
    steps.filter((step) => outcomes.includes(step.outcome));
  const bad = of('failed', 'partial', 'not-started');
  const lines = bad.map((one) => {
    const mark = paint(one.outcome === 'failed' ? 'red' : 'yellow', pad(one.outcome, LONGEST_OUTCOME));
    return `  ${mark}  ${one.step.action} ${one.step.address}${one.message === null ? '' : `: ${one.message}`}\n`;
  });
  const flaws = steps.flatMap(({ flaws: all }) =>
    all.map((flaw) => `  ${paint('yellow', pad('flaw', LONGEST_OUTCOME))}  ${flaw}\n`),
  );
  const held = heldBack(plan).map((reason) => `  ${paint('yellow', pad('held back', LONGEST_OUTCOME))}  ${reason}\n`);
  const parts = COUNTED.map(([outcome, words]) => [of(outcome).length, words] as const)
    .filter(([number], index) => number > 0 || index === 0)
    .map(([number, words]) => `${number} ${words}`);
  return `${[...lines, ...flaws, ...held].join('')}${verdict(bad.length, of('done', 'partial').length, flaws.length, verb, paint)}: ${parts.join(', ')} of ${count(steps.length, 'step')}.\n`;
}

/** What guards and unreachable repositories kept from being done: it is in the exit code, and so it is said. */
const heldBack = ({ withheld, errors }: Plan): readonly string[] => [
  ...withheld.filter(isGuarded).map(({ action, address, reason }) => `${action} ${address}: ${reason.message}`),
  ...errors.map(({ message }) => message),
];

const LONGEST_OUTCOME = 'not-started'.length;

const COUNTED: readonly (readonly [StepResult['outcome'], string])[] = [
  ['done', 'done'],
  ['partial', 'partial'],
  ['failed', 'failed'],
  ['not-started', 'not started'],
  ['skipped', 'not needed any more'],
];

function verdict(bad: number, made: number, flaws: number, verb: string, paint: Paint): string {
  if (bad > 0) return paint('red', made > 0 ? `Not all ${verb.toLowerCase()}` : `Not ${verb.toLowerCase()}`);
  return flaws > 0 ? paint('yellow', `${verb} with flaws`) : paint('green', verb);
}

/** The same for machines; with NDJSON this is the last line. */
export function applyJson(result: ApplyResult): Readonly<Record<string, unknown>> {
  return {
    formatVersion: 1,
    type: 'result',
    exitCode: result.exitCode,
    steps: result.steps.map(({ step, outcome, snapshot, message, hint, flaws, durationMs }) => ({
      id: step.id,
      action: step.action,
      address: step.address,
      outcome,
      snapshot,
      message,
      hint,
      flaws,
      durationMs,
    })),
  };
}
