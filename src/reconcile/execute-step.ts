import type { BackupExecution } from './execution.ts';
import { cleanStep } from './execute-clean.ts';
import { createStep } from './execute-create-step.ts';
import { copyStep } from './execute-copy.ts';
import { pruneStep } from './execute-prune.ts';
import { restoreStep } from './execute-restore-step.ts';
import { verifyStep } from './execute-verify.ts';
import type { Action, Step } from './step.ts';

export interface StepDone {
  readonly snapshot: string | null;
  /** Present when the snapshot made is only partial: why. */
  readonly partial?: string;
  readonly flaws: readonly string[];
}

type Executor = (execution: BackupExecution, step: Step) => Promise<StepDone>;

const EXECUTORS: Readonly<Record<Action, Executor>> = {
  create: createStep,
  copy: copyStep,
  replace: copyStep,
  verify: verifyStep,
  restore: restoreStep,
  prune: pruneStep,
  clean: cleanStep,
};

/** Carries out one step. Throws when it could not be done; what it was about is then as it was. */
export const executeStep: Executor = (execution, step) => EXECUTORS[step.action](execution, step);
