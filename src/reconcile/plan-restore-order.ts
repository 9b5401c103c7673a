import { addressOf, draft, stepKey, type Draft, NO_DRAFTS } from './draft.ts';
import { finishPlan } from './plan.ts';
import { commonMode, safetyMessage } from './plan-restores.ts';
import type { Observation } from './observation.ts';
import { isAtStake } from './obstacle.ts';
import { needsSafety, obstacleAt, type PreparedRestore, type PreparedTarget } from './prepare-restore.ts';
import { reason } from './reasons.ts';
import type { Session } from './session.ts';
import type { Destination, DestinationTarget, Plan, PlanNotice } from './step.ts';
import { totalBytes } from './total-bytes.ts';

/** A restore asked for on the command line as a plan: what will be written where, over what, and what is captured first. */
export function planRestoreOrder(
  session: Session,
  observation: Observation,
  prepared: PreparedRestore,
  safety: boolean,
): Plan {
  const { found, place, manifest } = prepared;
  const { backup } = found;
  const unsafe = safety ? prepared.targets.filter(needsSafety) : [];
  const receiver = found.view.repositories.find((repository) => repository.state === 'ready');
  const capture = unsafe.length === 0 || receiver === undefined ? undefined : safetyDraft();
  const destination: Destination = {
    restore: null,
    targets: Object.fromEntries(prepared.targets.map((target) => [target.name, destinationOf(target)])),
  };
  const restore = draft(backup, {
    action: 'restore',
    repository: place.name,
    snapshot: manifest.id,
    kind: manifest.kind,
    targets: prepared.targets.map(({ name }) => name),
    destination,
    mode: commonMode(destination),
    estimate: estimateOf(prepared),
    reason: reason('requested', 'asked for on the command line'),
    source: null,
    destructive: prepared.targets.some(({ state, mode }) => isAtStake(state, mode) && mode !== 'new'),
    dependsOn: capture === undefined ? [] : [stepKey(capture)],
  });
  const steps = capture === undefined ? [restore] : [capture, restore];
  const errors = prepared.targets.flatMap((target) => refusal(target, restore) ?? []);
  const now = session.context.clock.now();
  return finishPlan(
    { policy: session.policy, observation, now, options: {}, bkpVersion: session.bkpVersion },
    { ...NO_DRAFTS, steps, errors },
  );

  function safetyDraft(): Draft {
    const names = unsafe.map(({ name }) => name);
    return draft(backup, {
      action: 'create',
      kind: 'safety',
      repository: receiver?.name ?? '',
      targets: names,
      reason: reason('safety', safetyMessage(names), { address: addressOf(backup.name, receiver?.name ?? '') }),
      source: null,
    });
  }
}

function destinationOf(target: PreparedTarget): DestinationTarget {
  const { place, into, mode, state, paths } = target;
  return {
    place,
    into,
    mode,
    found: state.description,
    occupied: isAtStake(state, mode),
    ...(paths.length === 0 ? {} : { paths }),
    ...(mode === 'replace' && needsSafety(target) ? { changedInPlace: true } : {}),
  };
}

/** What stands in the way of a restore that was asked for: it is planned, shown, and not begun. */
function refusal(target: PreparedTarget, { backup, repository }: Draft): PlanNotice | null {
  const obstacle = obstacleAt(target);
  if (obstacle === null) return null;
  return {
    code: 'refused',
    message: obstacle.message,
    hint: obstacle.hint ?? null,
    address: addressOf(backup, repository),
  };
}

function estimateOf({ targets }: PreparedRestore): { readBytes: number; writeBytes: number } {
  const { raw, stored } = totalBytes(targets.flatMap((target) => target.stored.artifacts));
  return { readBytes: stored, writeBytes: raw };
}
