import { PassThrough, type Readable, type Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { createReadStream } from 'node:fs';
import type { Context, ReaderName, StdioEnd } from '../context.ts';
import type { Facts } from '../engines/engine.ts';
import type { ByteSource } from './bytes.ts';
import type { Encoder } from './encoder.ts';
import { handOver, type Pipe, pipePrograms } from './pipe-programs.ts';
import { fanOut, readerStage } from './raw-reader.ts';
import { judgeEnd, type Stages } from './stages.ts';
import type { StoreRequest } from './store-artifact.ts';

/** Bytes on their way from a source through the encoder. */
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
 * Starts a flow. The bytes of a program or a file go straight into the encoding programs, or through a reader that is a
 * program too, whenever nothing in this process has to see them.
 */
export function startCapture(
  artifact: StoreRequest['artifact'],
  encoder: Encoder,
  file: { readonly fd: number; readonly bytes: number } | undefined,
  stages: Stages,
  context: Context,
): CaptureFlow {
  const { source, inspect } = artifact;
  const { programs } = encoder;
  if (programs.length > 0 && inspect === undefined && file !== undefined) {
    const { stored } = startEncoder(encoder, file.fd, stages, context);
    return { stored, outcome: async () => ({ rawBytes: file.bytes, facts: null, warnings: [], retry: false }) };
  }
  const isRead = inspect !== undefined && inspect.program === undefined;
  if (programs.length > 0 && source.kind === 'process' && !isRead) {
    const { sink, stored } = startEncoder(encoder, 'pipe', stages, context);
    if (sink === null) throw new Error('an encoder without an input');
    const producer = handOver(sink, () => startProducer(source, inspect?.program, sink, stages, context));
    return { stored, outcome: () => producer.outcome() };
  }
  return captureThroughNode(artifact, encoder, stages, context);
}

function captureThroughNode(
  { source, inspect }: StoreRequest['artifact'],
  encoder: Encoder,
  stages: Stages,
  context: Context,
): CaptureFlow {
  const producer =
    source.kind === 'process' ? startProducer(source, inspect?.program, 'pipe', stages, context) : undefined;
  const raw = producer?.stdout ?? openInNode(source);
  context.signal.addEventListener('abort', () => raw.destroy(new Error('stopped')), { once: true });
  const { sink, stored } = openEncoder(encoder, stages, context);
  const isRead = producer !== undefined && inspect?.program !== undefined;
  const reader = inspect === undefined || isRead ? undefined : readerStage(inspect.open(), stages);
  const rawBytes = fanOut(raw, reader === undefined ? [sink] : [sink, reader.raw], stages, context.signal);
  return {
    stored,
    outcome: async () => {
      const outcome = (await producer?.outcome()) ?? { facts: null, warnings: [], retry: false };
      return { ...outcome, rawBytes: rawBytes(), facts: (await reader?.result) ?? outcome.facts };
    },
  };
}

/** Starts a program that writes the artifact, and behind it the reader that is a program of its own. */
function startProducer(
  source: Extract<ByteSource, { kind: 'process' }>,
  reader: ReaderName | undefined,
  stdout: StdioEnd,
  stages: Stages,
  context: Context,
): { readonly stdout: Readable | null; outcome(): Promise<CaptureOutcome> } {
  if (reader === undefined) return startWriter(source, stdout, stages, context);
  const running = context.startReader(reader, stdout);
  const { stdin } = running;
  if (stdin === null) throw new Error('a reader without an input');
  const process = { argv: [`bkp-reader-${reader}`] } as const;
  stages.addReader(running.result);
  stages.add(running.closed.then((end) => judgeEnd(process, end, { verb: 'read' })));
  const writer = handOver(stdin, () => startWriter(source, stdin, stages, context));
  return {
    stdout: running.stdout,
    outcome: async () => {
      const result = await running.result;
      if (result === null) throw new Error('a reader without an answer');
      return { ...(await writer.outcome()), rawBytes: result.bytes, facts: result.facts as Facts };
    },
  };
}

function startWriter(
  source: Extract<ByteSource, { kind: 'process' }>,
  stdout: StdioEnd,
  stages: Stages,
  context: Context,
): { readonly stdout: Readable | null; outcome(): Promise<CaptureOutcome> } {
  const running = context.start(source.process, { stdin: 'ignore', stdout });
  const ended = running.closed.then((end) => judgeEnd(source.process, end, { verb: 'read', judge: source.judge }));
  stages.add(ended);
  return {
    stdout: running.stdout,
    outcome: async () => {
      const { verdict, warnings } = await ended;
      return { rawBytes: null, facts: null, warnings, retry: verdict === 'retry' };
    },
  };
}

function openInNode(source: ByteSource): Readable {
  if (source.kind === 'file') return createReadStream(source.path, { highWaterMark: 256 * 1024 });
  if (source.kind === 'stream') return source.open();
  throw new Error('a producer without an output');
}

function openEncoder(
  encoder: Encoder,
  stages: Stages,
  context: Context,
): { readonly sink: Writable; readonly stored: Readable } {
  if (encoder.programs.length > 0) {
    const { sink, stored } = startEncoder(encoder, 'pipe', stages, context);
    if (sink === null) throw new Error('an encoder without an input');
    return { sink, stored };
  }
  const through = encoder.transform?.open() ?? new PassThrough({ highWaterMark: 256 * 1024 });
  stages.add(finished(through));
  return { sink: through, stored: through };
}

function startEncoder(
  { programs }: Encoder,
  stdin: 'pipe' | number,
  stages: Stages,
  context: Context,
): { readonly sink: Pipe['stdin']; readonly stored: Readable } {
  const { stdin: sink, stdout } = pipePrograms(programs, { stdin, stdout: 'pipe' }, stages, context);
  if (stdout === null) throw new Error('an encoder without an output');
  return { sink, stored: stdout };
}
