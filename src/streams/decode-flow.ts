import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { Context, StdioEnd } from '../context.ts';
import { saysWrongIdentity } from '../encryption/cipher.ts';
import { type BkpError, integrityError, reasonOf, repositoryError, usageError } from '../errors.ts';
import { type Decoder, passThrough } from './decoder.ts';
import { gatedStream } from './gated-stream.ts';
import { pipePrograms } from './pipe-programs.ts';
import { markConsequence, markIfStopped, type Stages } from './stages.ts';
import { assertSize, type StoredInput } from './stored-input.ts';

/** One decoding: stored bytes on one side, raw bytes on the other. */
export interface DecodeFlow {
  readonly key: string;
  readonly input: StoredInput;
  readonly decoder: Decoder;
  readonly storedBytes: number;
  /** Null where the manifest does not know. */
  readonly rawBytes: number | null;
  /** They pass Node then, whatever decodes them; null where that is not asked. */
  readonly storedSha256: string | null;
  /** Ends with `stop`. */
  readonly context: Context;
  stop(): void;
  /** Parts that are waited for, whatever happens, before the decoding is over. */
  addStages(): Stages;
}

/** Raw bytes in Node. The stream ends well only when everything behind it did and the counts agree. */
export async function decodeToNode(flow: DecodeFlow): Promise<Readable> {
  const stages = flow.addStages();
  const { decoded, assertWhole } = await openDecoded(flow, stages);
  let bytes = 0;
  return gatedStream(decoded, {
    onChunk: (chunk) => {
      bytes += chunk.length;
    },
    beforeEnd: async () => {
      await stages.finished();
      assertWhole();
      assertRawBytes(flow, bytes);
    },
    onAbandoned: () => flow.stop(),
  });
}

/** Starts the decoding programs with their output going somewhere else than Node. */
export async function startDecoder(flow: DecodeFlow, stdout: StdioEnd, stages: Stages): Promise<Readable | null> {
  const { input, context, decoder } = flow;
  const isDirect = decoder.decryption === undefined && flow.storedSha256 === null;
  const file = isDirect && input.kind === 'file' ? input.handle.fd : undefined;
  const stored = file === undefined ? await openStoredStream(flow, stages) : undefined;
  const running = pipePrograms(decoder.programs, { stdin: file ?? 'pipe', stdout }, stages, context);
  if (running.stdin !== null) stored?.pipe(running.stdin);
  return running.stdout;
}

export function assertRawBytes(flow: Pick<DecodeFlow, 'key' | 'rawBytes'>, found: number): void {
  if (flow.rawBytes === null || flow.rawBytes === found) return;
  throw integrityError(`cannot decode ${flow.key}: ${found} bytes came out, the manifest says ${flow.rawBytes}`);
}

async function openDecoded(
  flow: DecodeFlow,
  stages: Stages,
): Promise<{ readonly decoded: Readable; readonly assertWhole: () => void }> {
  const { programs, transform: decoding } = flow.decoder;
  const encoded =
    programs.length === 0 ? await openStoredStream(flow, stages) : await startDecoder(flow, 'pipe', stages);
  if (encoded === null) throw new Error('a decoder without an output');
  if (programs.length > 0 && decoding === undefined) return { decoded: encoded, assertWhole: () => undefined };
  const inNode = decoding?.open();
  const transform = inNode?.transform ?? passThrough();
  if (inNode !== undefined) encoded.on('data', (chunk: Buffer) => inNode.see(chunk));
  encoded.once('error', (error) => transform.destroy(error));
  encoded.pipe(transform);
  stages.add(
    finished(transform).catch((error: unknown) => {
      const told = undecodable(flow, 'decode', error);
      // What came before it says why.
      throw encoded.errored === null ? told : markConsequence(told);
    }),
  );
  return { decoded: transform, assertWhole: () => inNode?.assertWhole() };
}

function undecodable({ key, context }: DecodeFlow, verb: 'decode' | 'decrypt', error: unknown): BkpError {
  const reason = reasonOf(error);
  const make = saysWrongIdentity(reason) ? usageError : integrityError;
  return markIfStopped(make(`cannot ${verb} ${key}: ${reason}`, { cause: error }), context.signal);
}

/** Stored bytes in Node, counted and then decrypted where that is done here; a stage of its own. */
async function openStoredStream(flow: DecodeFlow, stages: Stages): Promise<Readable> {
  const { input, key, context } = flow;
  const stored =
    input.kind === 'stream'
      ? await input.open()
      : input.handle.createReadStream({ start: 0, autoClose: false, highWaterMark: 256 * 1024 });
  const hash = flow.storedSha256 === null ? undefined : createHash('sha256');
  let bytes = 0;
  stored.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    hash?.update(chunk);
  });
  context.signal.addEventListener('abort', () => stored.destroy(new Error('stopped')), { once: true });
  stages.add(
    finished(stored, { writable: false }).then(
      () => {
        assertSize(key, bytes, flow.storedBytes);
        if (hash !== undefined && hash.digest('hex') !== flow.storedSha256)
          throw integrityError(`cannot read ${key}: it is not what it was when it was checked`);
      },
      (error: unknown) => {
        throw markIfStopped(
          repositoryError(`cannot read ${key}: ${reasonOf(error)}`, { cause: error }),
          context.signal,
        );
      },
    ),
  );
  return flow.decoder.decryption === undefined ? stored : decrypted(flow, stored, stages);
}

/** A stage of its own: it breaks where the bytes were changed or cut. */
async function decrypted(flow: DecodeFlow, stored: Readable, stages: Stages): Promise<Readable> {
  const { decryption } = flow.decoder;
  if (decryption === undefined) throw new Error('nothing to decrypt with');
  const plain = await decryption.through(stored).catch((error: unknown) => {
    throw undecodable(flow, 'decrypt', error);
  });
  stages.add(
    finished(plain, { writable: false }).catch((error: unknown) => {
      throw undecodable(flow, 'decrypt', error);
    }),
  );
  return plain;
}
