import { execFileSync } from 'node:child_process';
import type { Command } from './measure.ts';

interface PlanSummary {
  readonly steps: readonly unknown[];
  readonly errors: readonly unknown[];
  readonly summary: { readonly keep: number };
}

/** Runs `bkp plan --format json` and throws unless it is empty. Returns how many snapshots it keeps. */
export function assertNothingToDo({ argv, cwd, env }: Command): number {
  const options = { cwd, env: { ...process.env, ...env }, encoding: 'utf8', maxBuffer: 2 ** 30 } as const;
  const plan = JSON.parse(execFileSync(argv[0] ?? '', argv.slice(1), options)) as PlanSummary;
  if (plan.steps.length > 0 || plan.errors.length > 0)
    throw new Error(`the plan is not empty: ${JSON.stringify([...plan.steps, ...plan.errors]).slice(0, 300)}`);
  return plan.summary.keep;
}
