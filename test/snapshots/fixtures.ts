import type { Clock, Host } from '../../src/context.ts';
import type { RunEvent } from '../../src/event.ts';
import type { Repository } from '../../src/repositories/repository.ts';
import type { Lease } from '../../src/snapshots/held-lease.ts';
import { initializeRepository } from '../../src/snapshots/identity.ts';
import { makeId } from '../../src/snapshots/ids.ts';
import type { RepositoryInventory } from '../../src/snapshots/inventory.ts';
import { acquireLease, type LeaseContext, type LeaseRequest } from '../../src/snapshots/leases.ts';
import type { Manifest, ManifestArtifact } from '../../src/snapshots/manifest.ts';
import { artifactKeys } from '../../src/snapshots/manifest-codec.ts';
import { moveKeys } from '../../src/snapshots/move-keys.ts';
import { readInventory, type InventoryRequest } from '../../src/snapshots/read-inventory.ts';
import { beginSnapshot } from '../../src/snapshots/snapshot-draft.ts';

/** A clock that stands still unless it is moved. */
export interface TestClock extends Clock {
  wall: number;
  monotonic: number;
}

export function testClock(wall: string | number = '2026-11-19T02:00:00.000Z'): TestClock {
  const clock: TestClock = {
    wall: new Date(wall).getTime(),
    monotonic: 0,
    now: () => new Date(clock.wall),
    monotonicMs: () => clock.monotonic,
  };
  return clock;
}

export const testHost = (parts: Partial<Host> = {}): Host => ({
  name: 'runner-1',
  bootId: 'boot-1',
  pid: 100,
  uid: 1000,
  platform: 'linux',
  cpus: 2,
  node: 'v24.0.0',
  isAlive: () => true,
  ...parts,
});

export interface TestRunner extends LeaseContext {
  readonly clock: TestClock;
  readonly events: RunEvent[];
}

/** A runner of its own: host, clock and signal. */
export function testRunner(parts: Partial<Pick<TestRunner, 'clock' | 'host' | 'signal'>> = {}): TestRunner {
  const events: RunEvent[] = [];
  return {
    clock: testClock(),
    host: testHost(),
    signal: new AbortController().signal,
    ...parts,
    events,
    emit: (event) => events.push(event),
  };
}

let runs = 0;

/** Takes a lease without waiting for anybody. */
export const takeLease = (
  repository: Repository,
  runner: LeaseContext,
  parts: Partial<LeaseRequest> = {},
): Promise<Lease> =>
  acquireLease(
    repository,
    { backup: 'kong', policy: 'acme', purpose: 'apply', run: `run-${++runs}`, waitMs: 0, pollMs: 1, ...parts },
    runner,
  );

export const idAt = (time: string, seed = 0): string => makeId(new Date(time), new Uint8Array([seed, 1, 2, 3, 4, 5]));

export const anArtifact = (key: string, content = 'content'): ManifestArtifact => ({
  key,
  name: '',
  format: 'sqlite3',
  compression: null,
  encryption: null,
  rawBytes: content.length,
  storedBytes: content.length,
  storedSha256: 'a'.repeat(64),
});

export function aManifest(id: string, parts: Partial<Manifest> = {}): Manifest {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})/.exec(id) ?? [];
  const startedAt = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  return {
    formatVersion: 1,
    policy: 'acme',
    backup: 'kong',
    id,
    kind: 'backup',
    status: 'created',
    tick: startedAt,
    startedAt,
    finishedAt: startedAt,
    tool: { bkp: '0.1.0' },
    definitionSha256: 'b'.repeat(64),
    protect: false,
    targets: {
      db: {
        type: 'sqlite',
        status: 'captured',
        error: null,
        pointInTime: [startedAt, startedAt],
        versions: { server: null, tool: '3.50.0' },
        definition: { type: 'sqlite', path: '/srv/app.db' },
        facts: { tables: { events: 12 } },
        warnings: [],
        checks: [],
        artifacts: [anArtifact('db.db'), anArtifact('db/second.db')],
        restore: ['cat db.db > app.db'],
      },
    },
    policyFiles: { 'bkp.yaml': 'version: 1\n' },
    ...parts,
  };
}

export const keysOf = (manifest: Manifest): readonly string[] =>
  Object.values(manifest.targets).flatMap((target) => target.artifacts.map(({ key }) => key));

/** Stores a whole snapshot the way a run does. */
export async function storeSnapshot(
  repository: Repository,
  manifest: Manifest,
  lease: Lease,
  runner: LeaseContext,
): Promise<void> {
  const { backup, id, policy } = manifest;
  const draft = await beginSnapshot(repository, { backup, id, policy }, lease, runner);
  const placed = moveKeys(manifest, draft.prefix);
  for (const key of artifactKeys(placed)) {
    const at = await draft.addKey(key);
    if (!key.endsWith('/')) await repository.put(at, Buffer.from('content'));
  }
  await draft.commit(placed);
}

/** The inventory as the policy `acme` sees it. */
export async function inventoryOf(
  repository: Repository,
  runner: LeaseContext,
  parts: Partial<InventoryRequest> = {},
): Promise<RepositoryInventory> {
  const identity = await initializeRepository(repository, runner);
  return readInventory(repository, { identity, policyNames: ['acme'], ...parts }, runner);
}
