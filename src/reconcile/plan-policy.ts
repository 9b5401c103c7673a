import { observe } from './observe.ts';
import type { PlanOptions } from './observation.ts';
import { plan } from './plan.ts';
import type { Session } from './session.ts';
import type { Plan } from './step.ts';

/** Looks at the world and plans. `at` plans for another moment than now; such a plan cannot be applied. */
export async function planPolicy(session: Session, options: PlanOptions, at?: Date): Promise<Plan> {
  const observation = await observe(session);
  return plan({
    policy: session.policy,
    observation,
    now: at ?? session.context.clock.now(),
    options,
    bkpVersion: session.bkpVersion,
  });
}
