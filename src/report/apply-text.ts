import { count } from '../reconcile/phrases.ts';
import type { ApplyResult, StepResult } from '../reconcile/step-result.ts';
import type { Paint } from './terminal.ts';

/** What a run came to: every step that did not go well by name, then the numbers. Ends with a newline. */
export function formatApply(result: ApplyResult, paint: Paint): string {
  const { steps } = result;
  if (steps.length === 0) return `${paint('green', 'Nothing to do.')}\n`;
  const of = (...outcomes: StepResult['outcome'][]): readonly StepResult[] =>
    steps.filter((step) => outcomes.includes(step.outcome));
  const unhappy = of('failed', 'partial', 'not-started').map(
    (one) =>
      `  ${one.outcome}  ${one.step.action} ${one.step.address}${one.message === null ? '' : `: ${one.message}`}\n`,
  );
  const flaws = steps.flatMap((step) => step.flaws.map((flaw) => `  ${paint('yellow', 'note')}  ${flaw}\n`));
  const parts = [
    `${of('done').length} done`,
    of('partial').length === 0 ? '' : `${of('partial').length} partial`,
    of('failed').length === 0 ? '' : `${of('failed').length} failed`,
    of('not-started').length === 0 ? '' : `${of('not-started').length} not started`,
    of('skipped').length === 0 ? '' : `${of('skipped').length} not needed any more`,
  ];
  const verdict =
    unhappy.length === 0 && flaws.length === 0
      ? paint('green', 'Applied')
      : paint('red', unhappy.length === 0 ? 'Applied with flaws' : 'Not all applied');
  return `${unhappy.join('')}${flaws.join('')}${verdict}: ${parts.filter((part) => part !== '').join(', ')} of ${count(steps.length, 'step')}.\n`;
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
