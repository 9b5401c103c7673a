import type { Context, Host } from '../context.ts';
import { guardError, repositoryError } from '../errors.ts';
import type { Repository } from '../repositories/repository.ts';
import { writeBegin, type Begin } from './begin.ts';
import type { Lease } from './held-lease.ts';
import { beginKey, manifestKey, snapshotFolder, type SnapshotName } from './keys.ts';
import { CLEANED, type Manifest } from './manifest.ts';
import { assertKeys, writeManifest } from './manifest-codec.ts';
import { readMarks } from './marks.ts';
import { isDeserted, readBegin } from './remove-remains.ts';

/** A snapshot on its way into a repository: invisible until its manifest is committed. */
export interface SnapshotDraft extends SnapshotName {
  /** Lists an artifact's key in begin.json and gives the repository key to store it under. */
  addKey(key: string): Promise<string>;
  /** Writes the manifest, exclusively and last: the snapshot exists from now on. */
  commit(manifest: Manifest): Promise<void>;
}

/** `backup` is the folder: the lease's backup, or the name it had when a snapshot that is copied was made. */
export interface BeginRequest extends SnapshotName {
  readonly policy: string;
}

/**
 * Starts to store a snapshot under a lease: begin.json comes first. Remains of an earlier, dead try to store the same
 * snapshot (a copy) are taken over.
 */
export async function beginSnapshot(
  repository: Repository,
  { backup, id, policy }: BeginRequest,
  lease: Lease,
  { clock, host }: Pick<Context, 'clock' | 'host'>,
): Promise<SnapshotDraft> {
  const name = { backup, id };
  await lease.assertHeld();
  let begin: Begin = {
    formatVersion: 1,
    policy,
    ...name,
    owner: lease.owner,
    lease: { backup: lease.backup, number: lease.number },
    startedAt: clock.now().toISOString(),
    keys: [],
  };
  if (!(await repository.create(beginKey(name.backup, id), writeBegin(begin)))) {
    begin = { ...begin, keys: await takeOver(repository, name, lease, host) };
    await repository.put(beginKey(name.backup, id), writeBegin(begin));
  }
  await forgetCleaning(repository, name);
  let writing: Promise<void> = Promise.resolve();
  const addKey = async (key: string): Promise<void> => {
    if (begin.keys.includes(key)) return;
    assertKeys([key]);
    await lease.assertHeld();
    begin = { ...begin, keys: [...begin.keys, key] };
    await repository.put(beginKey(name.backup, id), writeBegin(begin));
  };
  return {
    ...name,
    addKey: async (key) => {
      // Targets are captured side by side; begin.json is written one key after the other.
      const next = writing.then(() => addKey(key));
      writing = next.catch(() => undefined);
      await next;
      return `${snapshotFolder(name.backup, id)}${key}`;
    },
    commit: (manifest) => commit(repository, manifest, begin, lease),
  };
}

/** The keys of a dead try; throws where somebody may still be at work. */
async function takeOver(
  repository: Repository,
  name: SnapshotName,
  lease: Lease,
  host: Host,
): Promise<readonly string[]> {
  const begin = await readBegin(repository, name);
  if (
    begin === undefined ||
    !(await isDeserted(repository, begin, lease, host)) ||
    (await repository.stat(manifestKey(name.backup, name.id))) !== undefined
  ) {
    throw guardError(`cannot store ${name.backup}@${name.id} in ${repository.location}: it is there already`, {
      hint: '`bkp list` shows what it is',
    });
  }
  return begin.keys;
}

/** What an earlier cleaning remembered must not speak against a snapshot that is stored anew. */
async function forgetCleaning(repository: Repository, name: SnapshotName): Promise<void> {
  for (const mark of await readMarks(repository, name)) {
    if (mark.kind === 'released' && mark.data['reason'] === CLEANED) await repository.remove(mark.key);
  }
}

async function commit(repository: Repository, manifest: Manifest, begin: Begin, lease: Lease): Promise<void> {
  const listed = new Set(begin.keys);
  for (const { artifacts } of Object.values(manifest.targets)) {
    for (const { key } of artifacts) {
      if (!listed.has(key))
        throw repositoryError(`cannot commit ${begin.backup}@${begin.id}: ${key} was never announced`);
    }
  }
  const bytes = writeManifest(manifest);
  await lease.assertHeld();
  if (!(await repository.create(manifestKey(begin.backup, begin.id), bytes))) {
    throw guardError(`cannot commit ${begin.backup}@${begin.id}: it has a manifest already`);
  }
  await withdrawIfLate(repository, begin, lease);
}

/**
 * A runner that was paused right before its manifest may have lost its lease and, with it, the artifacts: what others
 * began to clean or to store anew must not look like a snapshot. One that nobody touched stays.
 */
async function withdrawIfLate(repository: Repository, begin: Begin, lease: Lease): Promise<void> {
  try {
    await lease.assertHeld();
  } catch (error) {
    const current = await readBegin(repository, begin);
    if (current?.lease.number === begin.lease.number && current.owner.run === begin.owner.run) return;
    await repository.remove(manifestKey(begin.backup, begin.id));
    throw error;
  }
}
