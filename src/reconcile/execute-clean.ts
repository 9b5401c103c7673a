import { engineOf } from '../engines/registry.ts';
import { cleanRemains } from '../snapshots/remove-remains.ts';
import { ownNames } from './backup-view.ts';
import type { StepDone } from './execute-step.ts';
import type { BackupExecution } from './execution.ts';
import { foundAside } from './found-aside.ts';
import { writable } from './holder.ts';
import { stoppable } from './session.ts';
import type { Step } from './step.ts';

/** Removes what a cut-short capture or removal left, or an old state whose time is over. */
export async function cleanStep(execution: BackupExecution, step: Step): Promise<StepDone> {
  const { session, observation } = execution;
  const [reference] = step.artifacts;
  if (reference !== undefined) {
    const old = observation.setAside.find(({ record }) => record.reference === reference)?.record;
    if (old !== undefined) await engineOf(old.type).removeSetAside(foundAside(session, old), stoppable(session));
    return { snapshot: null, flaws: [] };
  }
  const { repository, lease } = writable(execution, step.repository);
  const request = { backup: step.backup, id: step.snapshot ?? '', policyNames: ownNames(session.policy) };
  await cleanRemains(repository, request, lease, session.context);
  return { snapshot: step.snapshot, flaws: [] };
}
