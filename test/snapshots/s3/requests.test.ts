import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { S3Repository } from '../../../src/generated/policy.ts';
import { applyPlan } from '../../../src/reconcile/apply.ts';
import { definitionDigest } from '../../../src/reconcile/definition.ts';
import { planPolicy } from '../../../src/reconcile/plan-policy.ts';
import type { Session } from '../../../src/reconcile/session.ts';
import type { Plan } from '../../../src/reconcile/step.ts';
import { withStoreTime } from '../../../src/reconcile/store-time.ts';
import type { Repository } from '../../../src/repositories/repository.ts';
import { openS3Repository } from '../../../src/repositories/s3.ts';
import { openCatalog } from '../../../src/snapshots/catalog.ts';
import { initializeRepository, repositoryIdentity } from '../../../src/snapshots/identity.ts';
import { beginKey, IDENTITY_KEY, INDEX_KEY, manifestKey } from '../../../src/snapshots/keys.ts';
import { writeManifest } from '../../../src/snapshots/manifest-codec.ts';
import { readInventory } from '../../../src/snapshots/read-inventory.ts';
import { shareCatalog } from '../../../src/snapshots/share-catalog.ts';
import { testBucket, STORE } from '../../repositories/s3/bucket.ts';
import { startProxy, type Passing } from '../../repositories/s3/proxy.ts';
import { connectionOf } from '../../services/connection.ts';
import { giveToServer } from '../../services/server-process.ts';
import { withTestSession } from '../../scenarios/edge.ts';
import { testFolder } from '../../test-context.ts';
import { aManifest, idAt, inventoryOf, storeSnapshot, takeLease, testRunner } from '../fixtures.ts';

const runner = testRunner();
const HOUR_MS = 3_600_000;
const NEWEST = Date.parse('2026-11-19T02:00:00Z');

/** What the snapshots hold, so that a plan need not ask what changed. */
const DEFINITION = { type: 'files', paths: ['up'] };
const definitionSha256 = definitionDigest({ up: DEFINITION });

const idOf = (hours: number): string => idAt(new Date(NEWEST - hours * HOUR_MS).toISOString());

interface Counted {
  readonly repository: Repository;
  readonly config: S3Repository;
  /** What was asked since the last call: listings, keys that were read, and questions about the bucket. */
  readonly asked: () => { readonly lists: number; readonly reads: readonly string[]; readonly questions: number };
  /** What was listed since the last call, in order. */
  readonly listed: () => readonly string[];
}

/** A bucket that holds so many snapshots of each backup, put there by way of the server's disk. */
async function bucketOf(backups: readonly string[], each: number): Promise<Counted> {
  const config = await testBucket();
  const prefix = config.prefix ?? '';
  const root = join(connectionOf(STORE)['buckets'] ?? '', config.bucket, prefix);
  const give = (path: string): void => {
    mkdirSync(path, { recursive: true });
    giveToServer(path);
  };
  const write = (key: string, content: Uint8Array | string): void => {
    give(dirname(join(root, key)));
    writeFileSync(join(root, key), content);
  };
  const proxy = await startProxy(config.endpoint ?? '');
  const repository = openS3Repository({ ...config, endpoint: proxy.endpoint }, runner);
  await initializeRepository(repository, runner);
  for (const path of [dirname(root), root, join(root, 'manifests'), join(root, 'snapshots')]) give(path);
  // Sooner gone than by a request for each.
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const backup of backups) {
    for (const folder of ['manifests', 'snapshots']) give(join(root, folder, backup));
    for (let hours = each; hours > 0; hours--) {
      const id = idOf(hours);
      write(manifestKey(backup, id), writeManifest(aManifest(id, { backup, definitionSha256 })));
      write(beginKey(backup, id), '{}');
    }
  }
  let told = 0;
  const isList = ({ query }: Passing): boolean => query.get('list-type') === '2';
  const isQuestion = ({ query }: Passing): boolean => query.has('versioning') || query.has('versions');
  return {
    repository,
    config: { ...config, endpoint: proxy.endpoint },
    listed: () => {
      const seen = proxy.seen.slice(told).filter(isList);
      told = proxy.seen.length;
      return seen.map(({ query }) => (query.get('prefix') ?? '').slice(prefix.length + 1));
    },
    asked: () => {
      const seen = proxy.seen.slice(told);
      told = proxy.seen.length;
      const others = seen.filter((one) => !isList(one) && !isQuestion(one));
      return {
        lists: seen.filter(isList).length,
        reads: others.map(({ path }) => path.slice(path.indexOf(prefix) + prefix.length + 1)),
        questions: seen.filter(isQuestion).length,
      };
    },
  };
}

/** Works with the session of a machine that knows nothing yet. */
async function onNewMachine<T>(
  config: S3Repository,
  backups: readonly string[],
  more: string,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const folder = await testFolder();
  const entry = `{ targets: [up], repositories: [store]${more} }`;
  const policy = [
    'version: 1',
    'name: acme',
    `repositories: { store: ${JSON.stringify(config)} }`,
    `targets: { up: ${JSON.stringify(DEFINITION)} }`,
    `backups: { ${backups.map((backup) => `${backup}: ${entry}`).join(', ')} }`,
  ];
  writeFileSync(join(folder, 'bkp.yaml'), `${policy.join('\n')}\n`);
  return withTestSession({ policy: join(folder, 'bkp.yaml'), cacheDir: join(folder, 'cache') }, async (session) =>
    work(await withStoreTime(session)),
  );
}

const coldPlan = (config: S3Repository, backups: readonly string[]): Promise<Plan> =>
  onNewMachine(config, backups, '', (session) => planPolicy(session, {}));

const keptIn = ({ keep }: Plan): number => keep.filter(({ reason }) => reason.code === 'retained').length;

const BACKUPS = ['kong', 'kong-db'];
/** Of 1,100 snapshots each: manifests of both, folders of each, and one each of backups, marks, runs and leases. */
const PAGES = 3 + 2 * 2 + 4;

test('a cold plan pays the pages, three requests, and one for each manifest that the index lacks', async () => {
  const { repository, config, asked } = await bucketOf(BACKUPS, 1100);
  const catalog = openCatalog(await testFolder());
  const whole = await inventoryOf(repository, runner, { catalog });
  expect(whole.snapshots).toHaveLength(2200);
  await shareCatalog(repository, whole.repositoryId, catalog, false);
  asked();
  const first = await coldPlan(config, BACKUPS);
  expect(asked()).toEqual({ lists: PAGES, reads: [IDENTITY_KEY, INDEX_KEY], questions: 1 });
  expect(keptIn(first)).toBe(2200);
  expect(first.errors).toEqual([]);
  const lease = await takeLease(repository, runner);
  const id = idOf(0);
  await storeSnapshot(repository, aManifest(id, { definitionSha256 }), lease, runner);
  await lease.release();
  asked();
  expect(keptIn(await coldPlan(config, BACKUPS))).toBe(2201);
  const { reads, ...others } = asked();
  expect(others).toEqual({ lists: PAGES, questions: 1 });
  expect(reads.toSorted()).toEqual([IDENTITY_KEY, INDEX_KEY, 'locks/kong.1.json', manifestKey('kong', id)].toSorted());
});

test('a small repository has no index and costs seven listings', async () => {
  const { repository, config, asked } = await bucketOf(BACKUPS, 3);
  const folder = await testFolder();
  const catalog = openCatalog(folder);
  const { repositoryId } = await inventoryOf(repository, runner, { catalog });
  expect(await shareCatalog(repository, repositoryId, catalog, false)).toBeUndefined();
  const identity = await repositoryIdentity(repository);
  if (identity === undefined) throw new Error('no repository');
  asked();
  await readInventory(openS3Repository(config, runner), { identity, policyNames: ['acme'], catalog }, runner);
  expect(asked()).toEqual({ lists: 7, reads: [], questions: 1 });
});

test('under its lease a backup looks at what is its own only', async () => {
  const { config, listed } = await bucketOf(BACKUPS, 3);
  await onNewMachine(config, BACKUPS, ', retention: { keepLast: 2 }', async (session) => {
    const made = await planPolicy(session, {});
    expect(made.steps.map(({ action, address }) => `${action} ${address}`)).toEqual([
      'prune kong@store',
      'prune kong-db@store',
    ]);
    listed();
    const options = { planning: {}, failFast: false, lockTimeoutMs: 0, command: 'apply' };
    const { steps } = await applyPlan(session, made, options);
    expect(steps.map(({ outcome, message }) => message ?? outcome)).toEqual(['done', 'done']);
  });
  // Leases of all backups are in one folder.
  const places = listed().filter((prefix) => prefix !== 'locks/');
  const turn = places.findIndex((prefix) => prefix.includes('/kong-db/'));
  expect(turn).toBeGreaterThan(0);
  for (const prefix of places.slice(0, turn)) expect(prefix).toMatch(/^(?:snapshots|manifests|marks|runs)\/kong\//);
  for (const prefix of places.slice(turn)) expect(prefix).toMatch(/^(?:snapshots|manifests|marks|runs)\/kong-db\//);
});
