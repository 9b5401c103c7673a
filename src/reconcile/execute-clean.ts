import { engineOf } from '../engines/registry.ts';
import { cleanRemains } from '../snapshots/remove-remains.ts';
import { ownNames } from './backup-view.ts';
import type { StepDone } from './execute-step.ts';
import type { BackupExecution } from './execution.ts';
import { foundAside } from './found-aside.ts';
import { writable } from './holder.ts';
import { stoppable } from './session.ts';
import { releaseReferences } from './release-references.ts';
import type { Step } from './step.ts';

/** Removes what a cut-short capture or removal left, or an old state whose time is over. */
export async function cleanStep(execution: BackupExecution, step: Step): Promise<StepDone> {
  const { session, observation } = execution;
  const [reference] = step.artifacts;
  if (step.snapshot !== null && reference !== undefined) return releaseOrphan(execution, step, reference);
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

/** What no manifest names and no run is making, as it was listed and as all repositories tell once more. */
async function releaseOrphan({ session, observation }: BackupExecution, step: Step, name: string): Promise<StepDone> {
  const [target = ''] = step.targets;
  const listed = observation.references?.find((one) => one.target === target && one.state === 'asked');
  const found = listed?.state === 'asked' ? listed.found.find((one) => one.name === name) : undefined;
  if (found === undefined) return { snapshot: step.snapshot, flaws: [] };
  const { store, id, origin } = found;
  const snapshot = { backup: origin.backup, id: origin.snapshot };
  const flaws = await releaseReferences(session, snapshot, [{ target, store, name, id }]);
  return { snapshot: step.snapshot, flaws };
}
