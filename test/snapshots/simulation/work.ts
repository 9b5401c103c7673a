import type { Repository } from '../../../src/repositories/repository.ts';
import type { Lease } from '../../../src/snapshots/held-lease.ts';
import { repositoryIdentity } from '../../../src/snapshots/identity.ts';
import { makeId } from '../../../src/snapshots/ids.ts';
import type { RepositoryInventory } from '../../../src/snapshots/inventory.ts';
import { snapshotFolder } from '../../../src/snapshots/keys.ts';
import { acquireLease, type LeaseContext } from '../../../src/snapshots/leases.ts';
import type { Manifest } from '../../../src/snapshots/manifest.ts';
import { readInventory } from '../../../src/snapshots/read-inventory.ts';
import { readSnapshot } from '../../../src/snapshots/read-snapshot.ts';
import { releaseSnapshot } from '../../../src/snapshots/release-snapshot.ts';
import { cleanRemains } from '../../../src/snapshots/remove-remains.ts';
import { isGood } from '../../../src/snapshots/standing.ts';
import { aManifest, anArtifact, keysOf, storeSnapshot } from '../fixtures.ts';
import type { Machine } from './stepped-world.ts';

export const LEASE_MS = 60_000;
export const TICK = '2026-11-19T02:00:00.000Z';
const NAME = { backup: 'kong', policyNames: ['acme'] };

/** A snapshot of one artifact, to keep the number of steps small. */
export const smallManifest = (id: string, tick: string = TICK): Manifest => {
  const whole = aManifest(id, { tick });
  const [target] = Object.values(whole.targets);
  if (target === undefined) throw new Error('no target');
  return { ...whole, targets: { db: { ...target, artifacts: [anArtifact('db.db')] } } };
};

async function look(repository: Repository, runner: LeaseContext): Promise<RepositoryInventory> {
  const identity = await repositoryIdentity(repository);
  if (identity === undefined) throw new Error('no repository');
  return readInventory(repository, { identity, policyNames: ['acme'] }, runner);
}

const lease = ({ repository, runner }: Machine, pollMs: number): Promise<Lease> =>
  acquireLease(
    repository,
    { ...NAME, policy: 'acme', purpose: 'apply', run: runner.host.name, waitMs: 1e12, pollMs, leaseMs: LEASE_MS },
    runner,
  );

export interface Capturing {
  readonly keepLast: number;
  readonly pollMs: number;
  /** Reads the inventory step by step, not at one moment. */
  readonly slowLook?: boolean;
  readonly id: string;
  readonly tick?: string;
}

/** What an apply does: clean what was left, capture the tick unless somebody did, let go what is not kept. */
export const capturing =
  ({ keepLast, pollMs, slowLook = false, id, tick = TICK }: Capturing) =>
  async (machine: Machine): Promise<void> => {
    const { repository, runner, atOnce } = machine;
    const held = await lease(machine, pollMs);
    const found = slowLook ? await look(repository, runner) : await atOnce('look', (plain) => look(plain, runner));
    if (!found.snapshots.some((snapshot) => isGood(snapshot) && (snapshot.tick ?? '') >= tick))
      await storeSnapshot(repository, smallManifest(id, tick), held, runner);
    await clean(machine, found, held);
    const after = await atOnce('look', (plain) => look(plain, runner));
    const good = after.snapshots.filter(isGood).map((snapshot) => snapshot.id);
    const newest = { backup: 'kong', id: good.at(-1) ?? '' };
    const isSafe = async (): Promise<boolean> => {
      const newer = await atOnce('guard', (plain) => readSnapshot(plain, newest, {}));
      return newer?.ok === true && isGood(newer.value.record);
    };
    for (const old of good.slice(0, Math.max(0, good.length - keepLast))) {
      if (!(await isSafe())) break;
      await releaseSnapshot(repository, { ...NAME, id: old, reason: 'retention-exceeded' }, held, runner);
    }
    for (const leaving of after.snapshots.filter(({ marks }) => marks.some(({ kind }) => kind === 'released'))) {
      if (!(await isSafe())) break;
      await releaseSnapshot(repository, { ...NAME, id: leaving.id, reason: 'partial-upload' }, held, runner);
    }
    await held.release();
  };

async function clean({ repository, runner }: Machine, { remains }: RepositoryInventory, held: Lease): Promise<void> {
  for (const { id, kind, inProgress } of remains) {
    if (kind !== 'unknown' && !inProgress) await cleanRemains(repository, { ...NAME, id }, held, runner);
  }
}

/** What a copy does; a tidy one lets no remains lie, but removes them first. */
export const copying =
  ({ id, pollMs, isTidy }: { readonly id: string; readonly pollMs: number; readonly isTidy: boolean }) =>
  async (machine: Machine): Promise<void> => {
    const { repository, runner, atOnce } = machine;
    const held = await lease(machine, pollMs);
    const found = await atOnce('look', (plain) => look(plain, runner));
    if (isTidy) await clean(machine, found, held);
    if (!found.snapshots.some((snapshot) => snapshot.id === id))
      await storeSnapshot(repository, smallManifest(id), held, runner);
    await held.release();
  };

/** What the store holds at one moment. */
export interface Standing {
  /** Ids that a listing calls good, oldest first. */
  readonly good: readonly string[];
  /** Those of them that whoever looks closely may rest on: nobody announced to clean them away. */
  readonly sure: readonly string[];
  /** Ids that a listing calls good although something is missing. */
  readonly hollow: readonly string[];
}

export async function standing(plain: Repository, runner: LeaseContext): Promise<Standing> {
  const { snapshots } = await look(plain, runner);
  const good = snapshots.filter(isGood).map(({ id }) => id);
  const sure: string[] = [];
  const hollow: string[] = [];
  for (const id of good) {
    const found = await readSnapshot(plain, { backup: 'kong', id }, {});
    if (found?.ok !== true) throw new Error(`${id} cannot be read`);
    if (isGood(found.value.record)) sure.push(id);
    const keys = keysOf(found.value.manifest).map((key) => snapshotFolder('kong', id) + key);
    const sizes = await Promise.all(keys.map((key) => plain.stat(key)));
    if (sizes.includes(undefined)) hollow.push(id);
  }
  return { good, sure, hollow };
}

export const idOf = (time: string, seed: number): string =>
  makeId(new Date(time), new Uint8Array([seed, 1, 2, 3, 4, 5]));
