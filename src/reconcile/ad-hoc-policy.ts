import { resolve } from 'node:path';
import type { Context } from '../context.ts';
import { notFoundError } from '../errors.ts';
import type { RepositoryConfig, Target } from '../generated/policy.ts';
import { validateTarget } from '../generated/validate-policy.js';
import type { ResolvedBackup, ResolvedPolicy, ResolvedTarget, SourcePosition } from '../policy/resolved-policy.ts';
import { openRepository } from '../repositories/registry.ts';
import { parseS3Url } from '../repositories/s3/url.ts';
import type { Repository } from '../repositories/repository.ts';
import { repositoryIdentity } from '../snapshots/identity.ts';
import type { RepositoryInventory, SnapshotRecord } from '../snapshots/inventory.ts';
import { recoverSnapshot } from '../snapshots/recover-snapshot.ts';
import { readInventory } from '../snapshots/read-inventory.ts';
import type { Manifest } from '../snapshots/manifest.ts';
import { readManifest } from '../snapshots/read-snapshot.ts';
import { trustedIn } from '../snapshots/trust.ts';
import { signingWith } from '../signing/signing.ts';
import { byStart } from './backup-view.ts';
import { removedPlace } from './find-stored.ts';
import type { Edge } from './session.ts';

const NAME = 'repository';
const NOWHERE: SourcePosition = { file: '(no policy)', line: 1, column: 1 };
const DAY_MS = 86_400_000;

/**
 * A policy made up from what a repository holds, for the day the machine and its policy are gone: every backup that has a
 * manifest, with the targets and definitions of its newest one. It plans nothing; it lists, shows, verifies and restores.
 * With trusted keys only what is signed with one of them counts.
 */
export async function adHocPolicy(
  path: string,
  edge: Edge,
  trustedKeys: readonly string[] = [],
): Promise<ResolvedPolicy> {
  const config = describePlace(path, edge);
  const repository = openRepository(config, edge.context);
  if (!(await repository.exists())) throw notFoundError(`cannot open repository ${path}: it does not exist`);
  const identity = await repositoryIdentity(repository);
  if (identity === undefined)
    throw notFoundError(`cannot open repository ${path}: bkp-repository.json is missing`, {
      hint: 'give the folder or prefix that holds manifests/ and snapshots/',
    });
  const signing = trustedKeys.length === 0 ? undefined : signingWith(trustedKeys, () => undefined);
  const trusted = trustedIn({ signing });
  const inventory = await readInventory(repository, { identity, policyNames: null, trusted }, edge.context);
  const snapshots = [...inventory.snapshots, ...(await removedRecords(repository, inventory, { signing }))];
  const counting = snapshots.filter(({ unsigned }) => unsigned === undefined).toSorted(byStart);
  const others = snapshots.filter(({ unsigned }) => unsigned !== undefined).toSorted(byStart);
  const newest = new Map([...others, ...counting].map((snapshot) => [snapshot.backup, snapshot]));
  const backups: ResolvedBackup[] = [];
  for (const { backup, id } of newest.values()) backups.push(await describeBackup(repository, backup, id));
  const names = [...new Set(snapshots.map((snapshot) => snapshot.policy))];
  return {
    name: names[0] ?? 'unknown',
    formerly: names.slice(1),
    path: NOWHERE.file,
    sha256: '',
    files: {},
    ...(trusted === null ? {} : { signing: { publicKeys: trusted, directory: '/', source: NOWHERE } }),
    repositories: [{ name: NAME, config, directory: '/', source: NOWHERE }],
    targets: Object.fromEntries(backups.flatMap((backup) => backup.targets).map((target) => [target.name, target])),
    backups,
    restores: [],
  };
}

/** What somebody removed tells of backups and policies too. */
async function removedRecords(
  repository: Repository,
  { tampered = [] }: RepositoryInventory,
  context: Pick<Context, 'signing'>,
): Promise<readonly SnapshotRecord[]> {
  const records: SnapshotRecord[] = [];
  for (const { backup, id, how } of tampered) {
    const place = how === 'removed' ? await removedPlace({ backup, id, name: NAME, repository }, context) : undefined;
    if (place !== undefined) records.push(place.record);
  }
  return records;
}

/** A path of this machine, or `s3://bucket/prefix`. */
function describePlace(place: string, { lookups }: Edge): RepositoryConfig {
  if (place.startsWith('s3://')) return parseS3Url(place, lookups.env);
  return { type: 'directory', path: resolve(place) };
}

async function describeBackup(repository: Repository, name: string, id: string): Promise<ResolvedBackup> {
  const recovered = await recoverSnapshot(repository, { backup: name, id });
  const manifest = await readManifest(recovered?.ok === true ? recovered.value.repository : repository, {
    backup: name,
    id,
  });
  const targets =
    manifest?.ok === true
      ? Object.entries(manifest.value.targets).flatMap(([target, { definition }]) => describeTarget(target, definition))
      : [];
  return {
    name,
    formerly: [],
    enabled: false,
    protect: false,
    targets,
    repositories: [NAME],
    // What is stored here before a restore is for the same readers.
    ...(manifest?.ok === true ? encryptionLike(manifest.value) : {}),
    schedule: null,
    timezone: 'UTC',
    retention: null,
    hooks: { before: [], after: [] },
    checks: {},
    verify: { everyMs: null, deepEveryMs: null },
    retryAfterMs: 0,
    maxPrune: null,
    parallelism: 1,
    timeoutMs: null,
    idleTimeoutMs: 15 * 60_000,
    safetyKeepMs: 7 * DAY_MS,
    keepOldMs: DAY_MS,
    source: NOWHERE,
    sources: {},
  };
}

function encryptionLike({ encryption }: Manifest): Pick<ResolvedBackup, 'encryption'> {
  if (encryption === undefined) return {};
  const { recipients, manifest } = encryption;
  return { encryption: { recipients: [...recipients], manifest } };
}

function describeTarget(name: string, definition: Readonly<Record<string, unknown>>): readonly ResolvedTarget[] {
  const config: unknown = definition;
  if (!validateTarget(config)) return [];
  return [
    {
      name,
      formerly: [],
      config: config satisfies Target,
      definition,
      compression: { method: 'zstd', level: 3 },
      checks: 'full',
      directory: '/',
      source: NOWHERE,
    },
  ];
}
