import { BkpError, EXIT, reasonOf, type ExitCode } from '../errors.ts';
import type { RunStep } from '../snapshots/run-record.ts';
import type { Plan, Step } from './step.ts';

/** What became of one step. */
export interface StepResult {
  readonly step: Step;
  readonly outcome: RunStep['outcome'];
  /** Snapshot made, copied, verified, restored or removed. */
  readonly snapshot: string | null;
  readonly message: string | null;
  readonly hint: string | null;
  readonly isGuarded: boolean;
  /** Things that went well but not perfectly: a failed `after` hook, warnings of a target. They make the exit code 7. */
  readonly flaws: readonly string[];
  readonly durationMs: number;
}

/** What carrying out a plan came to. */
export interface ApplyResult {
  readonly formatVersion: 1;
  readonly steps: readonly StepResult[];
  readonly exitCode: ExitCode;
}

type Ended = Partial<Omit<StepResult, 'step' | 'outcome'>>;

export const ended = (step: Step, outcome: StepResult['outcome'], parts: Ended = {}): StepResult => ({
  step,
  outcome,
  snapshot: step.snapshot,
  message: null,
  hint: null,
  isGuarded: false,
  flaws: [],
  ...parts,
  durationMs: Math.round(parts.durationMs ?? 0),
});

/** The result of a step that threw. */
export function failedStep(step: Step, error: unknown, durationMs = 0): StepResult {
  const known = error instanceof BkpError;
  return ended(step, 'failed', {
    message: reasonOf(error),
    hint: known ? (error.hint ?? null) : null,
    isGuarded: known && error.code === 'guard',
    durationMs,
  });
}

/** Withheld steps that mean a guard stopped something, rather than that all is as it should be. */
const GUARDS: readonly string[] = ['max-prune', 'identity-missing'];

/** True for what a guard held back. A restore of the policy is one that somebody waits for. */
export const isGuarded = ({ action, reason }: Plan['withheld'][number]): boolean =>
  GUARDS.includes(reason.code) || (action === 'restore' && reason.code === 'requested');

/** The exit code of a run, by the table in errors.ts. */
export function exitCodeOf(
  plan: Pick<Plan, 'withheld' | 'errors'>,
  results: readonly StepResult[],
  interrupted: boolean,
): ExitCode {
  if (interrupted) return EXIT.interrupted;
  const failed = results.filter(
    (result) => result.outcome === 'failed' || result.outcome === 'partial' || result.outcome === 'not-started',
  );
  const done = results.filter((result) => result.outcome === 'done' || result.outcome === 'partial');
  const hard = failed.filter(
    (result) => result.outcome === 'partial' || (!result.isGuarded && result.outcome !== 'not-started'),
  );
  const flawed = results.some((result) => result.flaws.length > 0);
  const unavailable = plan.errors.some((notice) => notice.code === 'repository-unavailable');
  if (hard.length > 0) return done.length > 0 ? EXIT.partly : EXIT.failed;
  const guarded =
    failed.length > 0 ||
    plan.errors.some((notice) => notice.code === 'foreign-policy') ||
    plan.withheld.some(isGuarded);
  if (flawed || unavailable) return EXIT.partly;
  return guarded ? EXIT.guarded : EXIT.done;
}
