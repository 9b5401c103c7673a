import type { Plan } from '../reconcile/step.ts';
import { formatPlanText, type PlanTitle } from '../report/plan-text.ts';
import { canAsk } from './confirm.ts';
import type { CommandEnvironment } from './command.ts';
import type { OptionValues } from './option-values.ts';

/**
 * Shows what is about to be carried out: on the result stream, as an event of the run with `--format json`, and also where
 * the question is asked when that is somewhere else.
 */
export function showPlan(
  made: Plan,
  title: PlanTitle,
  options: OptionValues,
  environment: CommandEnvironment,
  willAsk: boolean = !options.flag('yes'),
): void {
  const { terminal } = environment;
  const json = options.text('format') === 'json';
  if (json) terminal.out(`${JSON.stringify({ type: 'plan', plan: made })}\n`);
  else terminal.out(formatPlanText(made, terminal.paint, title));
  if ((json || !terminal.outIsTerminal) && willAsk && canAsk(environment))
    terminal.err(formatPlanText(made, terminal.paintErr, title));
}
