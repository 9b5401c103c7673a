import { createReadStream } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { toolError } from '../../../src/errors.ts';
import type { Context } from '../../../src/context.ts';
import type {
  Facts,
  IncomingArtifact,
  RestoreMode,
  RestoreOutcome,
  RestoreRequest,
  TargetOf,
} from '../../../src/engines/engine.ts';
import { files } from '../../../src/engines/files/files.ts';
import { openDirectoryRepository } from '../../../src/repositories/directory.ts';
import { openArtifact } from '../../../src/streams/open-artifact.ts';
import { storeArtifact } from '../../../src/streams/store-artifact.ts';

export const SNAPSHOT = '20261119T020000Z-k3x9q2aa';

type FilesTarget = TargetOf<'files'>;

/** One capture in a directory repository of the test. */
export interface TakenSnapshot {
  readonly facts: Facts;
  readonly warnings: readonly string[];
  readonly retry: boolean;
  readonly artifact: IncomingArtifact;
}

/** Captures a target through the real streams. */
export async function takeSnapshot(
  target: Omit<FilesTarget, 'type'>,
  context: Context,
  repositoryPath: string,
): Promise<TakenSnapshot> {
  const repository = openDirectoryRepository({ path: repositoryPath }, context);
  await repository.prepare();
  const capture = await files.capture({ type: 'files', ...target }, context);
  try {
    const [artifact] = capture.artifacts;
    const source = artifact?.source;
    if (artifact === undefined || source === undefined || source.kind === 'folder') throw new Error('no artifact');
    const key = `snapshots/test/${randomUUID()}/files.tar.zst`;
    const stored = await storeArtifact(
      { artifact: { ...artifact, source }, compression: { method: 'zstd', level: 1 }, threads: 1, repository, key },
      context,
    );
    const { storedBytes, storedSha256, rawBytes } = stored;
    const described = { key, name: '', format: 'tar-pax', compression: 'zstd' as const, encryption: null };
    return {
      facts: stored.facts ?? {},
      warnings: stored.warnings,
      retry: stored.retry,
      artifact: openArtifact({ ...described, rawBytes, storedBytes, storedSha256 }, { repository, key }, context),
    };
  } finally {
    await capture.close();
  }
}

/** An archive file as an artifact, as if it came out of a repository. */
export function artifactOf(path: string, context: Context): IncomingArtifact {
  return {
    name: '',
    format: 'tar-pax',
    rawBytes: null,
    async into(sink) {
      if (sink.kind === 'reader') {
        const raw = createReadStream(path);
        await sink.read(raw).finally(() => raw.destroy());
        return;
      }
      if (sink.kind !== 'process') throw new Error('not asked for by this engine');
      const running = context.start(sink.process, { stdin: 'pipe', stdout: 'ignore' });
      if (running.stdin !== null) createReadStream(path).pipe(running.stdin);
      const end = await running.closed;
      const judgement = sink.judge?.(end);
      if (judgement?.verdict === 'failed') throw toolError(`cannot restore with tar: ${judgement.reason}`);
    },
  };
}

/** Restores with what most tests do not care about filled in. */
export const restore = (
  request: Partial<Omit<RestoreRequest<FilesTarget>, 'destination'>> & {
    readonly mode: RestoreMode;
    readonly artifact: IncomingArtifact;
    readonly destination: Omit<FilesTarget, 'type'>;
  },
  context: Context,
): Promise<RestoreOutcome> =>
  files.restore(
    {
      artifacts: [request.artifact],
      paths: [],
      skipConflicts: false,
      noOwner: false,
      expectedFacts: null,
      snapshot: SNAPSHOT,
      ...request,
      destination: { ...request.destination, type: 'files' },
    },
    context,
  );

/** Names below a folder that bkp made. */
export const leftovers = (names: readonly string[]): readonly string[] =>
  names.filter((name) => /\.bkp-(?:new|old|swap)-/.test(name));
