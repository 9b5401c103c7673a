import { type Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { Facts, RawReader } from '../engines/engine.ts';
import { BkpError, reasonOf, targetError } from '../errors.ts';
import { markIfStopped, type Stages } from './stages.ts';

/** Hands raw bytes that pass through Node to several readers at the speed of the slowest; returns the count so far. */
export function fanOut(
  source: Readable,
  readers: readonly Writable[],
  stages: Stages,
  stopped: AbortSignal,
): () => number {
  let bytes = 0;
  source.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  for (const reader of readers) source.pipe(reader);
  stages.add(
    finished(source, { writable: false }).catch((error: unknown) => {
      for (const reader of readers) reader.destroy(new Error(reasonOf(error)));
      const told = targetError(`cannot read the source: ${reasonOf(error)}`, { cause: error });
      throw markIfStopped(error instanceof BkpError ? error : told, stopped);
    }),
  );
  return () => bytes;
}

/** A reader of raw bytes in this process; what it throws stops the flow. */
export function readerStage(
  reader: RawReader,
  stages: Stages,
): { readonly raw: Writable; readonly result: Promise<Facts> } {
  let facts: Facts = {};
  const raw = new Writable({
    write: guarded((chunk: Buffer) => reader.push(chunk)),
    final(done) {
      guarded(() => {
        facts = reader.end();
      })(undefined, undefined, done);
    },
  });
  const result = finished(raw).then(() => facts);
  stages.addReader(result);
  return { raw, result };
}

type Done = (error?: Error | null) => void;

const guarded =
  <T>(act: (value: T) => void) =>
  (value: T, _encoding: unknown, done: Done): void => {
    try {
      act(value);
    } catch (error) {
      done(error instanceof Error ? error : new Error(reasonOf(error)));
      return;
    }
    done();
  };
