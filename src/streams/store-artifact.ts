import type { Readable } from 'node:stream';
import type { Context } from '../context.ts';
import { chooseEncryption } from '../encryption/cipher.ts';
import { integrityError, throwIfAborted } from '../errors.ts';
import type { Facts, OutgoingArtifact } from '../engines/engine.ts';
import type { Repository } from '../repositories/repository.ts';
import type { Compression } from './bytes.ts';
import { type CaptureOutcome, startCapture } from './capture-flow.ts';
import { chooseCompressor } from './compressor.ts';
import { chooseEncoder } from './encoder.ts';
import { gatedStream } from './gated-stream.ts';
import { openSourceFile } from './source-file.ts';
import { createStages } from './stages.ts';
import { openStoredForm } from './stored-form.ts';
import { createStoredMeter } from './stored-meter.ts';

export interface StoreRequest {
  readonly artifact: Pick<OutgoingArtifact, 'source' | 'inspect'>;
  readonly compression: Compression;
  /** Who can read it; absent where everybody can. */
  readonly recipients?: readonly string[] | undefined;
  /** Threads of the compressing program. */
  readonly threads: number;
  readonly repository: Repository;
  readonly key: string;
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
}

/**
 * Moves one artifact into a repository. It becomes visible only when every process of the flow has closed well, the
 * compression's end mark was seen, the reader is content and the counts agree; on any failure or abort nothing is visible
 * and nothing runs any more.
 */
export async function storeArtifact(request: StoreRequest, context: Context): Promise<StoredArtifact> {
  const { artifact, compression, repository, key } = request;
  throwIfAborted(context.signal);
  const stopping = new AbortController();
  const stages = createStages(() => stopping.abort());
  const meter = createStoredMeter();
  const file = artifact.source.kind === 'file' ? await openSourceFile(artifact.source.path) : undefined;
  let flowFailure: { readonly error: unknown } | undefined;
  let outcome: CaptureOutcome | undefined;
  let content: Readable | undefined;
  try {
    const inner = context.withSignal(stopping.signal);
    const options = { threads: request.threads, rawBytes: file?.bytes ?? null };
    const cipher = request.recipients && chooseEncryption(request.recipients, context);
    const encoder = chooseEncoder(chooseCompressor(compression, options, context), cipher);
    const flow = startCapture(artifact, encoder, file, stages, inner);
    const kind = { method: compression.method, isEncrypted: cipher !== undefined };
    const form = await openStoredForm(flow.stored, encoder, kind, stages, inner);
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
    return { ...outcome, storedBytes: bytes, storedSha256: meter.sha256() };
  } catch (error) {
    stopping.abort();
    content?.destroy();
    await stages.ended();
    throwIfAborted(context.signal);
    // A repository may have wrapped what the flow said.
    throw flowFailure === undefined ? error : flowFailure.error;
  } finally {
    await file?.close();
  }
}
