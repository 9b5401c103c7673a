import { EXIT, guardError, staleError, usageError, type ExitCode } from '../errors.ts';
import { applyPlan } from '../reconcile/apply.ts';
import { initializeMissing } from '../reconcile/initialize.ts';
import type { PlanOptions } from '../reconcile/observation.ts';
import { count } from '../reconcile/phrases.ts';
import { planPolicy } from '../reconcile/plan-policy.ts';
import { assertCurrent, planningOf, readPlan } from '../reconcile/saved-plan.ts';
import type { Session } from '../reconcile/session.ts';
import type { Plan } from '../reconcile/step.ts';
import type { ApplyResult } from '../reconcile/step-result.ts';
import { applyJson, formatApply } from '../report/apply-text.ts';
import { readTextFile } from '../system/read-file.ts';
import type { CommandEnvironment, CommandRun } from './command.ts';
import { confirmed } from './confirm.ts';
import { durationOption, lockTimeout } from './durations.ts';
import { withSession } from './open-session.ts';
import type { OptionValues } from './option-values.ts';
import { planOptions } from './plan-options.ts';
import { writePlanFiles } from './plan-output.ts';
import { runReporter } from './reporters.ts';
import { showPlan } from './show-plan.ts';

const DAY_MS = 86_400_000;

/** Carries out a saved plan without asking, or plans, shows, asks and carries out. */
export const applyCommand: CommandRun = async ([file], options, environment) =>
  withSession(options, environment, runReporter(options, environment), async (session) => {
    // A wrong flag is said before anything is planned.
    lockTimeout(options);
    return file === undefined
      ? applyNow(session, options, environment)
      : applySaved(session, file, options, environment);
  });

async function applyNow(session: Session, options: OptionValues, environment: CommandEnvironment): Promise<ExitCode> {
  const planning = planOptions(options, session.policy);
  const made = await planPolicy(session, planning);
  await writePlanFiles(made, options);
  showPlan(made, 'plan', options, environment);
  refuseIfNothingCanBeWritten(made);
  if (made.steps.length > 0 && !(await confirmed(question(made), options, environment, HINT))) return EXIT.done;
  return carryOut(session, made, planning, options, environment);
}

const HINT = 'give --yes, or a plan saved by `bkp plan --out`';

function question({ steps, summary }: Plan): string {
  const destructive = summary.destructive === 0 ? '' : `, ${summary.destructive} of them destructive`;
  return `Apply ${count(steps.length, 'step')}${destructive}?`;
}

async function applySaved(
  session: Session,
  file: string,
  options: OptionValues,
  environment: CommandEnvironment,
): Promise<ExitCode> {
  if (Object.keys(planOptions(options, session.policy)).length > 0)
    throw usageError(`cannot apply ${file} with planning flags: a saved plan is carried out as it is`, {
      hint: 'give them to `bkp plan --out`',
    });
  const made = readPlan(await readTextFile(file), file);
  if (made.at !== null)
    throw usageError(`cannot apply ${file}: it was planned for another moment (--at)`, {
      hint: 'plan for now: `bkp plan --out`',
    });
  const maxAgeMs = durationOption(options, 'maxAge', '--max-age') ?? DAY_MS;
  const ageMs = session.context.clock.now().getTime() - Date.parse(made.generatedAt);
  if (made.summary.destructive > 0 && ageMs > maxAgeMs)
    throw staleError(`cannot apply ${file}: it holds destructive steps and was made ${made.generatedAt}`, {
      hint: 'plan again; --max-age allows older plans',
    });
  await assertCurrent(session, made, file);
  await writePlanFiles(made, options);
  showPlan(made, 'plan', options, environment, false);
  refuseIfNothingCanBeWritten(made);
  return carryOut(session, made, planningOf(made), options, environment);
}

async function carryOut(
  session: Session,
  made: Plan,
  planning: PlanOptions,
  options: OptionValues,
  environment: CommandEnvironment,
): Promise<ExitCode> {
  if (made.filters.initRepositories === true) await initializeMissing(session);
  const result = await applyPlan(session, made, {
    planning,
    failFast: options.flag('failFast'),
    lockTimeoutMs: lockTimeout(options),
    command: 'apply',
  });
  printResult(made, result, 'Applied', options, environment);
  return result.exitCode;
}

/** Every repository is not what it should be: said before anything runs, with what to do about it. */
function refuseIfNothingCanBeWritten(made: Plan): void {
  const missing = made.warnings.find((notice) => notice.code === 'identity-missing');
  if (missing === undefined || made.repositories.some((repository) => repository.readable)) return;
  throw guardError(`cannot apply: ${missing.message}`, { hint: missing.hint ?? undefined });
}

/** The end of a run; with nothing to do the plan has said it already. */
export function printResult(
  made: Plan,
  result: ApplyResult,
  verb: string,
  options: OptionValues,
  { terminal }: CommandEnvironment,
): void {
  if (options.text('format') === 'json') terminal.out(`${JSON.stringify(applyJson(result))}\n`);
  else if (result.steps.length > 0) terminal.out(formatApply(result, made, verb, terminal.paint));
}
