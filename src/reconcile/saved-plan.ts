import { staleError, usageError } from '../errors.ts';
import { inventoryDigest, touchedFolders } from './inventory-digest.ts';
import { observeRepositories } from './observe-repositories.ts';
import type { PlanOptions } from './observation.ts';
import type { Session } from './session.ts';
import type { Plan } from './step.ts';

/** The newest plan format this bkp writes and reads. */
const PLAN_FORMAT = 1;

/** Reads a saved plan; a `usage` error when it is none, or of a newer format. */
export function readPlan(text: string, name: string): Plan {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw usageError(`cannot read plan ${name}: it is not JSON`);
  }
  if (typeof value !== 'object' || value === null || !('formatVersion' in value) || !('steps' in value))
    throw usageError(`cannot read plan ${name}: it is not a plan`);
  if (value.formatVersion !== PLAN_FORMAT)
    throw Number(value.formatVersion) > PLAN_FORMAT
      ? usageError(`cannot read plan ${name}: format ${String(value.formatVersion)} is newer than ${PLAN_FORMAT}`, {
          hint: 'upgrade bkp on this machine',
        })
      : usageError(`cannot read plan ${name}: format ${String(value.formatVersion)} is unknown`, {
          hint: 'plan again with this bkp',
        });
  if (!isPlan(value)) throw usageError(`cannot read plan ${name}: it is not whole`);
  return value;
}

function isPlan(value: object): value is Plan {
  const lists = ['steps', 'keep', 'withheld', 'warnings', 'errors', 'repositories'];
  const objects = ['policy', 'summary', 'filters'];
  const member = (name: string): unknown => (value as Record<string, unknown>)[name];
  const stepsAreWhole = (list: unknown): boolean =>
    Array.isArray(list) &&
    list.every(
      (step: unknown) =>
        typeof step === 'object' &&
        step !== null &&
        ['id', 'action', 'address', 'backup', 'repository', 'reason', 'dependsOn'].every((key) => key in step),
    );
  return (
    lists.every((name) => Array.isArray(member(name))) &&
    objects.every((name) => typeof member(name) === 'object' && member(name) !== null) &&
    stepsAreWhole(member('steps')) &&
    'at' in value &&
    typeof member('generatedAt') === 'string'
  );
}

/** Throws a `stale` error unless policy and repositories are as they were when the plan was made. */
export async function assertCurrent(session: Session, saved: Plan, name: string): Promise<void> {
  const hint = 'run `bkp plan --out` again and apply the new plan';
  if (saved.policy.name !== session.policy.name || saved.policy.sha256 !== session.policy.sha256)
    throw staleError(`cannot apply ${name}: the policy changed since it was made`, { hint });
  const observation = await observeRepositories(session);
  const touched = touchedFolders(session.policy, saved.steps);
  for (const before of saved.repositories) {
    const now = observation.repositories.find((repository) => repository.name === before.name);
    const id = now?.state === 'ready' ? now.inventory.repositoryId : null;
    const digest = now?.state === 'ready' ? inventoryDigest(now.inventory, touched) : null;
    if (before.id === null && now?.state === 'unidentified' && saved.filters.initRepositories === true) continue;
    if (id !== before.id)
      throw staleError(`cannot apply ${name}: repository ${before.name} is not the one it was planned for`, { hint });
    if (digest !== before.inventorySha256)
      throw staleError(`cannot apply ${name}: the snapshots in ${before.name} changed since it was made`, { hint });
  }
}

/** The options a saved plan was made with. */
export function planningOf({ filters, steps }: Plan): PlanOptions {
  const requested = steps
    .filter((step) => step.action === 'create' && step.reason.code === 'requested')
    .map((step) => step.backup);
  return {
    ...(filters.backups === undefined ? {} : { backups: filters.backups }),
    ...(filters.only === undefined ? {} : { only: filters.only }),
    ...(filters.prune === false ? { noPrune: true } : {}),
    ...(filters.pruneRemoved === true ? { pruneRemoved: true } : {}),
    ...(filters.maxPrune === undefined ? {} : { maxPrune: filters.maxPrune }),
    ...(filters.initRepositories === true ? { initRepositories: true } : {}),
    ...(requested.length === 0 ? {} : { requested }),
  };
}
