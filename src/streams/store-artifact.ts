import type { Readable } from 'node:stream';
import type { Context } from '../context.ts';
import { chooseEncryption } from '../encryption/cipher.ts';
import { integrityError, throwIfAborted } from '../errors.ts';
import type { Facts, OutgoingArtifact } from '../engines/engine.ts';
import type { Repository } from '../repositories/repository.ts';
import { branch, type Branches } from './branches.ts';
import type { ByteSource, Compression } from './bytes.ts';
import { type CaptureOutcome, startCapture } from './capture-flow.ts';
import { chooseCompressor } from './compressor.ts';
import { chooseEncoder } from './encoder.ts';
import { gatedStream } from './gated-stream.ts';
import { openSourceFile } from './source-file.ts';
import { createStages } from './stages.ts';
import { openStoredForm } from './stored-form.ts';
import { createStoredMeter } from './stored-meter.ts';

/** Where an artifact is stored, and for whom. */
export interface StorePlace {
  readonly repository: Repository;
  readonly key: string;
  /** Who can read it; absent where everybody can. */
  readonly recipients?: readonly string[] | undefined;
}

export interface StoreRequest extends StorePlace {
  readonly artifact: { readonly source: ByteSource } & Pick<OutgoingArtifact, 'inspect'>;
  readonly compression: Compression;
  /** Threads of the compressing program. */
  readonly threads: number;
  /** Other places that are given the same compressed bytes in the same pass. */
  readonly besides?: readonly StorePlace[];
  /** Called with the stored bytes so far. */
  readonly onProgress?: (storedBytes: number) => void;
}

export interface StoredArtifact {
  readonly rawBytes: number | null;
  readonly storedBytes: number;
  readonly storedSha256: string;
  /** What `inspect` counted; null without it. */
  readonly facts: Facts | null;
  readonly warnings: readonly string[];
  /** The engine asks for one more capture from the start. What was stored is whole and stays until it is replaced. */
  readonly retry: boolean;
  /** What became of it at each of the other places; a failure there is no failure here. */
  readonly besides: readonly PromiseSettledResult<StoredBytes>[];
}

export type StoredBytes = Pick<StoredArtifact, 'storedBytes' | 'storedSha256'>;

/**
 * Moves one artifact into a repository. It becomes visible only when every process of the flow has closed well, the
 * compression's end mark was seen, the reader is content and the counts agree; on any failure or abort nothing is visible
 * and nothing runs any more.
 */
export async function storeArtifact(request: StoreRequest, context: Context): Promise<StoredArtifact> {
  const { artifact, compression, repository, key, besides = [] } = request;
  throwIfAborted(context.signal);
  const stopping = new AbortController();
  const stages = createStages(() => stopping.abort());
  const meter = createStoredMeter();
  const file = artifact.source.kind === 'file' ? await openSourceFile(artifact.source.path) : undefined;
  let flowFailure: { readonly error: unknown } | undefined;
  let outcome: CaptureOutcome | undefined;
  let content: Readable | undefined;
  let branches: Branches | undefined;
  let storing: Promise<StoredArtifact['besides']> = Promise.resolve([]);
  try {
    const inner = context.withSignal(stopping.signal);
    const options = { threads: request.threads, rawBytes: file?.bytes ?? null };
    const cipher = request.recipients && chooseEncryption(request.recipients, context);
    const compressor = chooseCompressor(compression, options, context);
    // What goes to several places is encrypted for each of them, after it was compressed once.
    const encoder =
      besides.length === 0
        ? chooseEncoder(compressor, cipher)
        : { ...chooseEncoder(compressor, undefined), encryption: cipher };
    const flow = startCapture(artifact, encoder, file, stages, inner);
    if (besides.length > 0) {
      branches = branch(flow.stored, besides.length);
      storing = storeBesides(besides, branches, context);
    }
    const kind = { method: compression.method, isEncrypted: cipher !== undefined };
    const form = await openStoredForm(branches?.main ?? flow.stored, encoder, kind, stages, inner);
    content = gatedStream(form.stored, {
      onChunk: (chunk) => {
        meter.push(chunk);
        form.push(chunk);
        request.onProgress?.(meter.bytes);
      },
      beforeEnd: async () => {
        try {
          await stages.ended();
          throwIfAborted(context.signal);
          await file?.assertUnchanged();
          await stages.finished();
          outcome = await flow.outcome();
          form.assertWhole(key, outcome.rawBytes);
          branches?.end();
        } catch (error) {
          flowFailure = { error };
          throw error;
        }
      },
      onAbandoned: () => stopping.abort(),
    });
    const { bytes } = await repository.put(key, content, file?.bytes);
    if (outcome === undefined || bytes !== meter.bytes) {
      await repository.remove(key);
      throw integrityError(`cannot store ${key}: ${bytes} of ${meter.bytes} bytes were written`);
    }
    return { ...outcome, storedBytes: bytes, storedSha256: meter.sha256(), besides: await storing };
  } catch (error) {
    stopping.abort();
    content?.destroy();
    branches?.fail(error instanceof Error ? error : new Error(String(error)));
    await storing;
    await stages.ended();
    throwIfAborted(context.signal);
    // A repository may have wrapped what the flow said.
    throw flowFailure === undefined ? error : flowFailure.error;
  } finally {
    await file?.close();
  }
}

/** Stores what comes on each branch; resolves when all are through with it, however they are. */
const storeBesides = (
  places: readonly StorePlace[],
  { others }: Branches,
  context: Context,
): Promise<StoredArtifact['besides']> =>
  Promise.allSettled(
    others.map(async (compressed, index) => {
      const place = places[index];
      if (place === undefined) throw new Error('a branch without a place');
      const artifact = { source: { kind: 'stream' as const, open: () => compressed } };
      try {
        return await storeArtifact(
          { ...place, artifact, compression: { method: 'none', level: 0 }, threads: 1 },
          context,
        );
      } finally {
        compressed.destroy();
      }
    }),
  );
