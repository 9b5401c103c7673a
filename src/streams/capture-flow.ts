import { PassThrough, type Readable, type Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { createReadStream } from 'node:fs';
import type { Context, ProcessSpec, StdioEnd } from '../context.ts';
import type { Facts, OutgoingArtifact } from '../engines/engine.ts';
import type { ByteSource } from './bytes.ts';
import type { Compressor } from './compressor.ts';
import { fanOut, readerStage } from './raw-reader.ts';
import { judgeEnd, type Stages } from './stages.ts';

/** Bytes on their way from a source through the compression. */
export interface CaptureFlow {
  /** What is to be stored. */
  readonly stored: Readable;
  /** What is known once all stages have finished well. */
  outcome(): Promise<CaptureOutcome>;
}

export interface CaptureOutcome {
  /** Null where the raw bytes went past Node uncounted. */
  readonly rawBytes: number | null;
  readonly facts: Facts | null;
  readonly warnings: readonly string[];
  readonly retry: boolean;
}

/**
 * Starts a flow. The bytes of a program or a file go straight into the compressing program when nobody in Node needs to
 * see them. A reader (`inspect`) gets them in Node, which then feeds the compressor: a `tee` into a second OS pipe was
 * measured and is no faster, because reading is what costs.
 */
export function startCapture(
  artifact: Pick<OutgoingArtifact, 'source' | 'inspect'>,
  compressor: Compressor,
  file: { readonly fd: number; readonly bytes: number } | undefined,
  stages: Stages,
  context: Context,
): CaptureFlow {
  const { source, inspect } = artifact;
  if (compressor.kind === 'program' && inspect === undefined && file !== undefined) {
    const { stdout } = startCompressor(compressor.process, file.fd, stages, context);
    return { stored: stdout, outcome: async () => ({ rawBytes: file.bytes, facts: null, warnings: [], retry: false }) };
  }
  if (compressor.kind === 'program' && inspect === undefined && source.kind === 'process') {
    const { stdin, stdout } = startCompressor(compressor.process, 'pipe', stages, context);
    try {
      const producer = startProducer(source, stdin ?? 'ignore', stages, context);
      return { stored: stdout, outcome: async () => ({ rawBytes: null, facts: null, ...(await producer.ended) }) };
    } finally {
      // Our copy of the write end must go, or the compressor never sees the end. Not end(): it shuts the shared pipe.
      stdin?.destroy();
    }
  }
  return captureThroughNode(artifact, compressor, stages, context);
}

function captureThroughNode(
  { source, inspect }: Pick<OutgoingArtifact, 'source' | 'inspect'>,
  compressor: Compressor,
  stages: Stages,
  context: Context,
): CaptureFlow {
  const producer = source.kind === 'process' ? startProducer(source, 'pipe', stages, context) : undefined;
  const raw = producer?.stdout ?? openInNode(source);
  context.signal.addEventListener('abort', () => raw.destroy(new Error('stopped')), { once: true });
  const { sink, stored } = openCompressor(compressor, stages, context);
  const reader = inspect === undefined ? undefined : readerStage(inspect, stages);
  const rawBytes = fanOut(raw, reader === undefined ? [sink] : [sink, reader.raw], stages);
  return {
    stored,
    outcome: async () => ({
      rawBytes: rawBytes(),
      facts: (await reader?.result) ?? null,
      ...((await producer?.ended) ?? { warnings: [], retry: false }),
    }),
  };
}

function startProducer(
  source: Extract<ByteSource, { kind: 'process' }>,
  stdout: StdioEnd,
  stages: Stages,
  context: Context,
): { readonly stdout: Readable | null; readonly ended: Promise<Pick<CaptureOutcome, 'warnings' | 'retry'>> } {
  const running = context.start(source.process, { stdin: 'ignore', stdout });
  const ended = running.closed.then((end) => {
    const { verdict, warnings } = judgeEnd(source.process, end, {
      verb: 'read',
      stopped: context.signal,
      judge: source.judge,
    });
    return { warnings, retry: verdict === 'retry' };
  });
  stages.add(ended);
  return { stdout: running.stdout, ended };
}

function openInNode(source: ByteSource): Readable {
  if (source.kind === 'file') return createReadStream(source.path, { highWaterMark: 256 * 1024 });
  if (source.kind === 'stream') return source.open();
  throw new Error('a producer without an output');
}

function openCompressor(
  compressor: Compressor,
  stages: Stages,
  context: Context,
): { readonly sink: Writable; readonly stored: Readable } {
  if (compressor.kind === 'program') {
    const { stdin, stdout } = startCompressor(compressor.process, 'pipe', stages, context);
    if (stdin === null) throw new Error('a compressor without an input');
    return { sink: stdin, stored: stdout };
  }
  const through = compressor.kind === 'transform' ? compressor.open() : new PassThrough({ highWaterMark: 256 * 1024 });
  stages.add(finished(through));
  return { sink: through, stored: through };
}

function startCompressor(
  process: ProcessSpec,
  stdin: 'pipe' | number,
  stages: Stages,
  context: Context,
): { readonly stdin: Writable | null; readonly stdout: Readable } {
  const running = context.start(process, { stdin, stdout: 'pipe' });
  stages.add(running.closed.then((end) => judgeEnd(process, end, { verb: 'compress', stopped: context.signal })));
  if (running.stdout === null) throw new Error('a compressor without an output');
  return { stdin: running.stdin, stdout: running.stdout };
}
