import { planPolicy } from '../reconcile/plan-policy.ts';
import { reportWarnings } from '../report/run-events.ts';
import { writeNewOrReplace } from '../system/write-file.ts';
import type { CommandRun } from './command.ts';
import { withSession } from './open-session.ts';
import { planOptions } from './plan-options.ts';
import { planExitCode, planJson, printPlan, writePlanFiles } from './plan-output.ts';

/** Shows what apply would do. Changes nothing. */
export const planCommand: CommandRun = async (_args, options, environment) =>
  withSession(options, environment, reportWarnings(environment.terminal), async (session) => {
    const at = options.time('at');
    const made = await planPolicy(
      session,
      { ...planOptions(options, session.policy), ...(at === undefined ? {} : { isAt: true }) },
      at,
    );
    const out = options.text('out');
    if (out !== undefined) await writeNewOrReplace(out, planJson(made));
    await writePlanFiles(made, options);
    printPlan(made, options.text('format') ?? 'text', environment);
    if (out !== undefined) environment.terminal.err(`saved ${out}; next: bkp apply ${out}\n`);
    return planExitCode(made, options.flag('detailedExitcode'));
  });
