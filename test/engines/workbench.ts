import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../../src/context.ts';
import type {
  Facts,
  IncomingArtifact,
  RestoreMode,
  RestoreOutcome,
  RestoreRequest,
  TargetOf,
} from '../../src/engines/engine.ts';
import { factsOfPart, uniteFacts } from '../../src/engines/part-facts.ts';
import type { Target } from '../../src/generated/policy.ts';
import { NO_FILES } from '../../src/reconcile/earlier-files.ts';
import { storeFiles } from '../../src/reconcile/store-folder.ts';
import { openDirectoryRepository } from '../../src/repositories/directory.ts';
import type { Repository } from '../../src/repositories/repository.ts';
import type { ManifestArtifact } from '../../src/snapshots/manifest.ts';
import { openArtifact } from '../../src/streams/open-artifact.ts';
import type { ByteSource } from '../../src/streams/bytes.ts';
import { storeArtifact, type StoredArtifact } from '../../src/streams/store-artifact.ts';
import type { EngineFixture } from './fixture.ts';

export const SNAPSHOT = '20261119T020000Z-k3x9q2aa';

/** What a capture left in a repository. */
export interface Taken {
  readonly repository: Repository;
  readonly artifacts: readonly (ManifestArtifact & { readonly key: string })[];
  readonly facts: Facts;
}

/** An empty directory repository in a folder of the test. */
export async function newRepository(folder: string, context: Context): Promise<Repository> {
  const path = join(folder, 'repository');
  await mkdir(path, { recursive: true });
  return openDirectoryRepository({ path }, context);
}

/** Captures a target through the real streams. */
export async function take<K extends Target['type']>(
  { engine }: EngineFixture<K>,
  target: TargetOf<K>,
  repository: Repository,
  context: Context,
  onProgress?: () => void,
): Promise<Taken> {
  const capture = await engine.capture(target, context);
  const artifacts: Taken['artifacts'][number][] = [];
  try {
    const ownFacts = capture.facts();
    ownFacts.catch(() => undefined);
    const counted: Facts[] = [];
    for (const artifact of capture.artifacts) {
      const key = `snapshots/test/${SNAPSHOT}/t${encodeURIComponent(artifact.name).toLowerCase()}.${artifact.extension}.zst`;
      const compression = { method: 'zstd', level: 1 } as const;
      const store = (source: ByteSource): Promise<StoredArtifact> => {
        const request = { artifact: { ...artifact, source }, compression, threads: 1, repository, key };
        return storeArtifact(onProgress === undefined ? request : { ...request, onProgress }, context);
      };
      const { source } = artifact;
      const place = { repository, folder: key.replace(/\.files\.ndjson\.zst$/, '/'), earlier: NO_FILES };
      const { result: stored, ...files } =
        source.kind === 'folder'
          ? await storeFiles(source, place, store, () => undefined)
          : { result: await store(source) };
      const own = stored.facts ?? {};
      counted.push(artifact.part === undefined ? own : factsOfPart(own, artifact.part));
      const { rawBytes, storedBytes, storedSha256 } = stored;
      artifacts.push({
        key,
        name: artifact.name,
        format: artifact.format,
        compression: 'zstd',
        encryption: null,
        rawBytes,
        storedBytes,
        storedSha256,
        ...('files' in files ? { folder: { key: place.folder, ...files } } : {}),
      });
    }
    return { repository, artifacts, facts: { ...(await ownFacts), ...uniteFacts(counted) } };
  } catch (error) {
    // Of several artifacts those before the failure are whole; without a manifest they are nothing.
    for (const { key } of artifacts) await repository.remove(key);
    for (const key of await repository.list(`snapshots/test/${SNAPSHOT}/t/`, 'deep')) await repository.remove(key);
    throw error;
  } finally {
    await capture.close();
  }
}

export const incoming = ({ repository, artifacts }: Taken, context: Context): readonly IncomingArtifact[] =>
  artifacts.map((artifact) => openArtifact(artifact, { repository, key: artifact.key }, context));

/** Restores a capture. */
export function restore<K extends Target['type']>(
  { engine }: EngineFixture<K>,
  taken: Taken,
  destination: TargetOf<K>,
  mode: RestoreMode,
  context: Context,
  accept?: RestoreRequest<TargetOf<K>>['accept'],
): Promise<RestoreOutcome> {
  return engine.restore(
    {
      destination,
      mode,
      artifacts: incoming(taken, context),
      paths: [],
      skipConflicts: false,
      noOwner: false,
      expectedFacts: taken.facts,
      snapshot: SNAPSHOT,
      ...(accept === undefined ? {} : { accept }),
    },
    context,
  );
}

/** Names and sizes of everything below a folder: what is left behind shows here. */
export const namesBelow = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted();

/** Processes that were started for a context, or for one below it, and still run: they carry its private folder in their environment. */
export function childrenOf({ workDir }: Context): readonly string[] {
  const mark = `TMPDIR=${workDir}`;
  if (!existsSync('/proc/self/environ')) {
    const lines = execFileSync('ps', ['axEww', '-o', 'pid=,command='], { encoding: 'utf8' }).split('\n');
    return lines.filter((line) => line.includes(mark));
  }
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
      return environment.some((entry) => entry === mark || entry.startsWith(`${mark}/`));
    } catch {
      return false;
    }
  });
}
