import { PassThrough, type Readable, type Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { BkpError, reasonOf, targetError } from '../errors.ts';
import type { Stages } from './stages.ts';

/** Hands raw bytes that pass through Node to several readers at the speed of the slowest; returns the count so far. */
export function fanOut(source: Readable, readers: readonly Writable[], stages: Stages): () => number {
  let bytes = 0;
  source.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  for (const reader of readers) source.pipe(reader);
  stages.add(
    finished(source, { writable: false }).catch((error: unknown) => {
      for (const reader of readers) reader.destroy(new Error(reasonOf(error)));
      throw error instanceof BkpError
        ? error
        : targetError(`cannot read the source: ${reasonOf(error)}`, { cause: error });
    }),
  );
  return () => bytes;
}

/** Code in Node that reads the raw bytes to the end; what it leaves is drained, what it throws stops the flow. */
export function readerStage<T>(
  read: (raw: Readable) => Promise<T>,
  stages: Stages,
): { readonly raw: PassThrough; readonly result: Promise<T> } {
  const raw = new PassThrough({ highWaterMark: 512 * 1024 });
  raw.on('error', () => undefined);
  const result = read(raw).finally(() => raw.resume());
  stages.add(result);
  return { raw, result };
}
