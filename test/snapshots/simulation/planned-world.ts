import { hash } from 'node:crypto';
import type { Context } from '../../../src/context.ts';
import { applyPlan } from '../../../src/reconcile/apply.ts';
import { definitionDigest, definitionsOf } from '../../../src/reconcile/definition.ts';
import type { PlanOptions } from '../../../src/reconcile/observation.ts';
import { planPolicy } from '../../../src/reconcile/plan-policy.ts';
import type { ResolvedPolicy } from '../../../src/policy/resolved-policy.ts';
import type { Session } from '../../../src/reconcile/session.ts';
import type { Repository } from '../../../src/repositories/repository.ts';
import { makeId } from '../../../src/snapshots/ids.ts';
import { acquireLease } from '../../../src/snapshots/leases.ts';
import type { Manifest } from '../../../src/snapshots/manifest.ts';
import { readInventory } from '../../../src/snapshots/read-inventory.ts';
import { repositoryIdentity } from '../../../src/snapshots/identity.ts';
import { isGood } from '../../../src/snapshots/standing.ts';
import { aBackup, aPolicy, keep } from '../../reconcile/builders.ts';
import { storeSnapshot, type TestRunner } from '../fixtures.ts';
import type { Machine } from './stepped-world.ts';
import { LEASE_MS, smallManifest, TICK } from './work.ts';

/** Where snapshots are captured, and where they are copied to. */
export const PLACES = ['near', 'far'] as const;

const BACKUP = aBackup({ name: 'kong', repositories: PLACES });
const definitionSha256 = definitionDigest(definitionsOf(BACKUP));
const policyOf = (keepLast: number): ResolvedPolicy => aPolicy([{ ...BACKUP, retention: keep({ keepLast }) }]);

/** A snapshot as the policy wants it, whose bytes are what its manifest says. */
export function plannedManifest(id: string, tick: string): Manifest {
  const manifest = smallManifest(id, tick);
  const targets = Object.entries(manifest.targets).map(([name, target]) => {
    const artifacts = target.artifacts.map((one) => ({ ...one, storedSha256: hash('sha256', 'content') }));
    return [name, { ...target, artifacts }] as const;
  });
  return { ...manifest, definitionSha256, targets: Object.fromEntries(targets) };
}

/** One of several repositories that are in one store. */
export const placeIn = (repository: Repository, place: string): Repository => {
  const at = (key: string): string => `${place}/${key}`;
  return {
    ...repository,
    location: `memory:${place}`,
    put: (key, content, bytes) => repository.put(at(key), content, bytes),
    create: (key, content) => repository.create(at(key), content),
    read: (key) => repository.read(at(key)),
    open: (key) => repository.open(at(key)),
    stat: (key) => repository.stat(at(key)),
    list: async (prefix, depth) => (await repository.list(at(prefix), depth)).map((key) => key.slice(place.length + 1)),
    pages: async function* (prefix) {
      for await (const keys of repository.pages(at(prefix))) yield keys.map((key) => key.slice(place.length + 1));
    },
    remove: (key) => repository.remove(at(key)),
    clone: (from, to, bytes) => repository.clone(at(from), at(to), bytes),
  };
};

/** What runs the real planning and applying, on a store and a clock of the model. */
export function sessionOn(repository: Repository, runner: TestRunner, seed: number, keepLast: number): Session {
  let runs = 0;
  const context = {
    ...runner,
    withSignal: (signal: AbortSignal) => ({ ...context, signal }),
  } as unknown as Context;
  return {
    policy: policyOf(keepLast),
    repositories: PLACES.map((name) => ({ name, repository: placeIn(repository, name) })),
    context,
    signal: runner.signal,
    lookups: { env: {}, readFile: () => '', onSecrets: () => undefined },
    // Nothing can be remembered there: what a machine did in another order must not be known in this one.
    cacheDir: '/dev/null/none',
    bkpVersion: '0.0.0',
    leaseMs: LEASE_MS,
    newId: (at) => makeId(at, new Uint8Array([seed, ++runs, 3, 4, 5, 6])),
  };
}

export interface Applying {
  readonly id: string;
  readonly seed: number;
  readonly pollMs: number;
  readonly keepLast: number;
  readonly tick?: string;
}

/** No engine runs in a model: what a capture stores is stored by the runner itself. */
const PLANNING: PlanOptions = { only: ['copy', 'replace', 'prune', 'clean'] };
const MESSAGE = /^(?:cannot |dependency-failed|fresh|interrupted|an earlier step failed)/;

/** What an apply does: captures the tick unless somebody did, then all that the planner wants, by the real code. */
export const applying =
  ({ id, seed, pollMs, keepLast, tick = TICK }: Applying) =>
  async ({ repository, runner }: Pick<Machine, 'repository' | 'runner'>): Promise<void> => {
    const near = placeIn(repository, 'near');
    const lease = await acquireLease(
      near,
      {
        backup: 'kong',
        policy: 'acme',
        purpose: 'apply',
        run: `capture-${seed}`,
        waitMs: 1e12,
        pollMs,
        leaseMs: LEASE_MS,
      },
      runner,
    );
    const identity = await repositoryIdentity(near);
    if (identity === undefined) throw new Error('no repository');
    const { snapshots } = await readInventory(near, { identity, policyNames: ['acme'] }, runner);
    if (!snapshots.some((one) => isGood(one) && (one.tick ?? '') >= tick))
      await storeSnapshot(near, plannedManifest(id, tick), lease, runner);
    await lease.release();
    const session = sessionOn(repository, runner, seed, keepLast);
    const options = { planning: PLANNING, failFast: false, lockTimeoutMs: 1e12, command: 'apply' };
    const { steps } = await applyPlan(session, await planPolicy(session, PLANNING), options);
    for (const { message } of steps)
      if (message !== null && !MESSAGE.test(message)) throw new Error(`a step failed in its own way: ${message}`);
  };
