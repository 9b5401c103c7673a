import type { Context } from '../context.ts';
import type { Capture, Facts } from '../engines/engine.ts';
import { factsOfPart } from '../engines/part-facts.ts';
import type { ManifestArtifact } from '../snapshots/manifest.ts';
import type { ByteSource } from '../streams/bytes.ts';
import { storeArtifact, type StoredArtifact, type StoredBytes, type StorePlace } from '../streams/store-artifact.ts';
import type { Beside } from './besides.ts';
import type { CaptureTargetInput } from './capture-target.ts';
import { encryptableKey } from './encryptable-key.ts';
import type { WantedEncryption } from './encryption-of.ts';
import { storeWithFiles } from './store-folder.ts';

/** An artifact of a capture as it lies in the repositories. */
export interface StoredCapture {
  readonly artifact: ManifestArtifact;
  readonly beside: ReadonlyMap<Beside, ManifestArtifact>;
  readonly facts: Facts;
  readonly warnings: readonly string[];
  readonly retry: boolean;
}

/** Stores one artifact in the repository of the capture, and in those that are given the same in the same pass. */
export async function storeCaptured(
  input: CaptureTargetInput,
  artifact: Capture['artifacts'][number],
  index: number,
  context: Context,
): Promise<StoredCapture> {
  const { target, repository, threads, encryption } = input;
  const { inspect, source } = artifact;
  const compression = target.compression.method === 'none' ? null : target.compression.method;
  const keyFor = (wanted: WantedEncryption | null): string =>
    encryptableKey({ ...artifact, target: target.name, compression }, index, wanted);
  const key = keyFor(encryption);
  const besides = await announceBesides(input, keyFor);
  const repositoryKey = await input.addKey(key);
  const store = (bytes: ByteSource, onProgress: (stored: number) => void): Promise<StoredArtifact> =>
    storeArtifact(
      {
        artifact: { source: bytes, ...(target.checks === 'full' && inspect !== undefined ? { inspect } : {}) },
        compression: target.compression,
        recipients: encryption?.recipients,
        threads,
        repository,
        key: repositoryKey,
        besides: besides.map(({ place }) => place),
        onProgress,
      },
      context,
    );
  const onProgress = (bytes: number): void => {
    input.progressed();
    context.emit({ type: 'progress', subject: target.name, bytes, totalBytes: expectedBytes(input, key) });
  };
  const { result, folder } =
    source.kind === 'folder'
      ? await storeWithFiles(input, source, (list) => store(list, () => input.progressed()), context)
      : { result: await store(source, onProgress), folder: undefined };
  const describe = (at: string, wanted: WantedEncryption | null, bytes: StoredBytes): ManifestArtifact => ({
    key: at,
    name: artifact.name,
    format: artifact.format,
    compression,
    encryption: wanted === null ? null : 'age',
    rawBytes: result.rawBytes,
    storedBytes: bytes.storedBytes,
    storedSha256: bytes.storedSha256,
    ...(folder === undefined ? {} : { folder }),
  });
  const beside = new Map<Beside, ManifestArtifact>();
  for (const [place, { to, key: at }] of besides.entries()) {
    const outcome = result.besides[place];
    if (outcome?.status === 'fulfilled') beside.set(to, describe(at, to.encryption, outcome.value));
    else to.problem ??= outcome?.reason;
  }
  return {
    artifact: describe(key, encryption, result),
    beside,
    facts: artifact.part === undefined ? (result.facts ?? {}) : factsOfPart(result.facts ?? {}, artifact.part),
    warnings: result.warnings,
    retry: result.retry,
  };
}

interface PlaceBeside {
  readonly to: Beside;
  readonly key: string;
  readonly place: StorePlace;
}

/** The places of an artifact in the repositories that are still given everything. */
async function announceBesides(
  { besides }: CaptureTargetInput,
  keyFor: (wanted: WantedEncryption | null) => string,
): Promise<readonly PlaceBeside[]> {
  const places: PlaceBeside[] = [];
  for (const to of besides) {
    const { repository, encryption, draft } = to;
    if (draft === null || to.problem !== undefined) continue;
    const key = draft.prefix + keyFor(encryption);
    try {
      const place = { repository, key: await draft.addKey(key), recipients: encryption?.recipients };
      places.push({ to, key, place });
    } catch (error) {
      to.problem = error;
    }
  }
  return places;
}

/** Stored size of the same artifact in the last good snapshot. */
const expectedBytes = ({ previous }: CaptureTargetInput, key: string): number | null =>
  previous?.artifacts.find((artifact) => artifact.key === key)?.storedBytes ?? null;
