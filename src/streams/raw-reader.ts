import { type Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { Facts, PacedReader, RawReader } from '../engines/engine.ts';
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
  reader: RawReader | PacedReader,
  stages: Stages,
): { readonly raw: Writable; readonly result: Promise<Facts> } {
  let facts: Facts = {};
  const raw = new Writable({
    write: guarded((chunk: Buffer) => reader.push(chunk)),
    final(done) {
      const end = (): void | Promise<void> => {
        const found = reader.end();
        if (!(found instanceof Promise)) return void (facts = found);
        return found.then((counted) => void (facts = counted));
      };
      guarded(end)(undefined, undefined, done);
    },
  });
  const result = finished(raw).then(() => facts);
  stages.addReader(result);
  return { raw, result };
}

type Done = (error?: Error | null) => void;

const guarded =
  <T>(act: (value: T) => void | Promise<void>) =>
  (value: T, _encoding: unknown, done: Done): void => {
    const fail = (error: unknown): void => done(error instanceof Error ? error : new Error(reasonOf(error)));
    let waiting: void | Promise<void>;
    try {
      waiting = act(value);
    } catch (error) {
      fail(error);
      return;
    }
    if (waiting instanceof Promise) waiting.then(() => done(), fail);
    else done();
  };
