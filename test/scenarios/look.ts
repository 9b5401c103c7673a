import { applyPlan } from '../../src/reconcile/apply.ts';
import { observe } from '../../src/reconcile/observe.ts';
import type { Observation, PlanOptions } from '../../src/reconcile/observation.ts';
import { planPolicy } from '../../src/reconcile/plan-policy.ts';
import { requireManifest } from '../../src/reconcile/require-manifest.ts';
import type { ApplyResult } from '../../src/reconcile/step-result.ts';
import type { Plan } from '../../src/reconcile/step.ts';
import { verifySnapshot } from '../../src/reconcile/verify-snapshot.ts';
import type { SnapshotRecord } from '../../src/snapshots/inventory.ts';
import { isGood } from '../../src/snapshots/standing.ts';
import { withTestSession } from './edge.ts';
import type { World } from './world.ts';

const at = ({ policy, cacheDir }: World, clockOffsetMs = 0) => ({ policy, cacheDir, clockOffsetMs });

/** Plans with a clock that is so far ahead of the machine's. */
export const planOf = (world: World, options: PlanOptions = {}, clockOffsetMs = 0): Promise<Plan> =>
  withTestSession(at(world, clockOffsetMs), (session) => planPolicy(session, options));

export const observationOf = (world: World): Promise<Observation> => withTestSession(at(world), observe);

export const applyTo = (world: World, planning: PlanOptions = {}, clockOffsetMs = 0): Promise<ApplyResult> =>
  withTestSession(at(world, clockOffsetMs), async (session) =>
    applyPlan(session, await planPolicy(session, planning), {
      planning,
      failFast: false,
      lockTimeoutMs: 30_000,
      command: 'apply',
    }),
  );

/** Good snapshots by repository, `nas app@<id>`. */
export async function goodIn(world: World): Promise<readonly string[]> {
  const { repositories } = await observationOf(world);
  return repositories.flatMap((one) =>
    one.state === 'ready'
      ? one.inventory.snapshots.filter(isGood).map(({ backup, id }) => `${one.name} ${backup}@${id}`)
      : [],
  );
}

/** Every snapshot that is called good, read whole by its engines; gives what is wrong. `skip` names known ones. */
export async function deepDamage(world: World, skip: readonly string[] = []): Promise<readonly string[]> {
  return withTestSession(at(world), async (session) => {
    const { repositories } = await observe(session);
    const wrong: string[] = [];
    for (const one of repositories) {
      if (one.state !== 'ready') continue;
      const repository = session.repositories.find(({ name }) => name === one.name)?.repository;
      if (repository === undefined || repository === null) continue;
      for (const record of one.inventory.snapshots.filter(isGood)) {
        if (skip.includes(nameOf(one.name, record))) continue;
        const manifest = await requireManifest(repository, record);
        const { damaged } = await verifySnapshot(
          repository,
          manifest,
          record.backup,
          true,
          session.policy,
          session.context,
        );
        wrong.push(...damaged.map(({ reason }) => `${nameOf(one.name, record)}: ${reason}`));
      }
    }
    return wrong;
  });
}

const nameOf = (repository: string, { backup, id }: SnapshotRecord): string => `${repository} ${backup}@${id}`;

/** Of a repository: folders of artifacts without a manifest, and temporary files. */
export function leftovers(world: World, repository: string): readonly string[] {
  const files = world.files(repository);
  const manifests = new Set(files.filter((file) => file.startsWith('manifests/')));
  const stray = files.filter((file) => {
    if (file.startsWith('.tmp/')) return true;
    const [top, backup, id] = file.split('/');
    return top === 'snapshots' && !manifests.has(`manifests/${backup}/${id}.json`);
  });
  return stray;
}

export const outlineOf = (made: Plan): readonly string[] =>
  made.steps.map((step) => `${step.action} ${step.address} ${step.reason.code}`);
