import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { Context, ProcessEnd, ProcessSpec, StdioEnd } from '../context.ts';
import { integrityError, reasonOf, repositoryError, targetError } from '../errors.ts';
import { type Decoder, passThrough } from './decoder.ts';
import { gatedStream } from './gated-stream.ts';
import { judgeEnd, markIfStopped, type Stages } from './stages.ts';
import { assertSize, type StoredInput } from './stored-input.ts';

/** One decoding: stored bytes on one side, raw bytes on the other. */
export interface DecodeFlow {
  readonly key: string;
  readonly input: StoredInput;
  readonly decoder: Decoder;
  readonly storedBytes: number;
  /** Null where the manifest does not know. */
  readonly rawBytes: number | null;
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

/** Starts the decoding program with its output going somewhere else than Node. */
export async function startDecoder(
  flow: DecodeFlow,
  process: ProcessSpec,
  stdout: StdioEnd,
  stages: Stages,
): Promise<Readable | null> {
  const { input, context } = flow;
  const stored = input.kind === 'file' ? undefined : await openStoredStream(flow, stages);
  const running = context.start(process, { stdin: input.kind === 'file' ? input.handle.fd : 'pipe', stdout });
  stages.add(
    running.closed.then((end) => judgeEnd(process, end, { verb: `decode ${flow.key}`, makeError: errorOf(end) })),
  );
  if (running.stdin !== null) stored?.pipe(running.stdin);
  return running.stdout;
}

/** A decoder that fails has bad input, unless it says that it could not write. */
function errorOf(end: ProcessEnd): typeof integrityError {
  return /write error|no space left|file too large/i.test(end.stderr) ? targetError : integrityError;
}

export function assertRawBytes(flow: Pick<DecodeFlow, 'key' | 'rawBytes'>, found: number): void {
  if (flow.rawBytes === null || flow.rawBytes === found) return;
  throw integrityError(`cannot decode ${flow.key}: ${found} bytes came out, the manifest says ${flow.rawBytes}`);
}

async function openDecoded(
  flow: DecodeFlow,
  stages: Stages,
): Promise<{ readonly decoded: Readable; readonly assertWhole: () => void }> {
  const { decoder } = flow;
  if (decoder.kind === 'program') {
    const stdout = await startDecoder(flow, decoder.process, 'pipe', stages);
    if (stdout === null) throw new Error('a decoder without an output');
    return { decoded: stdout, assertWhole: () => undefined };
  }
  const inNode = decoder.kind === 'transform' ? decoder.open() : undefined;
  const transform = inNode?.transform ?? passThrough();
  const stored = await openStoredStream(flow, stages);
  if (inNode !== undefined) stored.on('data', (chunk: Buffer) => inNode.see(chunk));
  stored.pipe(transform);
  stages.add(
    finished(transform).catch((error: unknown) => {
      throw markIfStopped(
        integrityError(`cannot decode ${flow.key}: ${reasonOf(error)}`, { cause: error }),
        flow.context.signal,
      );
    }),
  );
  return { decoded: transform, assertWhole: () => inNode?.assertWhole() };
}

/** Stored bytes in Node, counted; a stage of its own. */
async function openStoredStream(flow: DecodeFlow, stages: Stages): Promise<Readable> {
  const { input, key, context } = flow;
  const stored =
    input.kind === 'stream'
      ? await input.open()
      : input.handle.createReadStream({ start: 0, autoClose: false, highWaterMark: 256 * 1024 });
  let bytes = 0;
  stored.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  context.signal.addEventListener('abort', () => stored.destroy(new Error('stopped')), { once: true });
  stages.add(
    finished(stored, { writable: false }).then(
      () => assertSize(key, bytes, flow.storedBytes),
      (error: unknown) => {
        throw markIfStopped(
          repositoryError(`cannot read ${key}: ${reasonOf(error)}`, { cause: error }),
          context.signal,
        );
      },
    ),
  );
  return stored;
}
