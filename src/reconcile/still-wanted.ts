import { guardError, repositoryError } from '../errors.ts';
import { stepKey } from './draft.ts';
import type { ApplyOptions } from './execution.ts';
import type { Observation } from './observation.ts';
import { plan } from './plan.ts';
import type { Session } from './session.ts';
import type { Plan, Step } from './step.ts';
import { ended, failedStep, type StepResult } from './step-result.ts';

/**
 * Sorts steps by a plan made now, under the lease: those it holds too, and those it does not, because another run did
 * them meanwhile (skipped) or because their repository is not what it was (failed).
 */
export function sortStillWanted(
  session: Session,
  observation: Observation,
  backup: string,
  steps: readonly Step[],
  { planning }: ApplyOptions,
): { readonly wanted: readonly Step[]; readonly others: readonly StepResult[] } {
  const { policy, bkpVersion, context } = session;
  const again = plan({
    policy,
    observation,
    now: context.clock.now(),
    options: { ...planning, backups: [backup] },
    bkpVersion,
  });
  const keys = new Set(again.steps.map(stepKey));
  const isWanted = (step: Step): boolean => keys.has(stepKey(step));
  return {
    wanted: steps.filter(isWanted),
    others: steps.filter((step) => !isWanted(step)).map((step) => explain(step, observation, again)),
  };
}

function explain(step: Step, observation: Observation, again: Plan): StepResult {
  const places = [step.repository, step.from];
  const lost = observation.repositories.find(({ name, state }) => state !== 'ready' && places.includes(name));
  if (lost !== undefined && lost.state !== 'ready') {
    const make = lost.state === 'unidentified' ? guardError : repositoryError;
    return failedStep(
      step,
      make(`cannot ${step.action} ${step.address}: ${lost.message}`, { hint: lost.hint ?? undefined }),
    );
  }
  const refused = again.errors.find(({ address }) => address === step.address);
  if (refused !== undefined) return failedStep(step, guardError(refused.message, { hint: refused.hint ?? undefined }));
  return ended(step, 'skipped', { message: 'fresh: nothing is due any more' });
}
