import type { Readable } from 'node:stream';
import type { PartBuffers } from './part-buffers.ts';
import { PART_BYTES } from './part-sizes.ts';

/** A piece of a stream in a buffer that is used again after `release`. */
export interface StreamPart {
  readonly content: Uint8Array;
  /** Nothing comes after it. */
  readonly isLast: boolean;
  readonly release: () => void;
}

export interface PartReader {
  /** The next part, full unless it is the last; undefined at the end. Throws the error of the source. */
  next(): Promise<StreamPart | undefined>;
  /** Nothing more is wanted: a source that waits is let go. */
  stop(): void;
}

/** Cuts a stream into parts of the sizes that their numbers ask for. */
export function readParts(content: Readable, sizeOf: (number: number) => number, buffers: PartBuffers): PartReader {
  const chunks = content[Symbol.asyncIterator]() as AsyncIterator<Uint8Array | string>;
  let rest: Uint8Array = new Uint8Array();
  let isEnded = false;
  let isStopped = false;
  let number = 0;
  let held = 0;
  const more = async (): Promise<void> => {
    while (rest.byteLength === 0 && !isEnded) {
      const chunk = await chunks.next();
      if (chunk.done === true) isEnded = true;
      else rest = typeof chunk.value === 'string' ? Buffer.from(chunk.value) : chunk.value;
    }
  };
  const borrow = async (bytes: number): Promise<{ readonly buffer: Buffer; readonly release: () => void }> => {
    const isPooled = bytes === PART_BYTES;
    const buffer = isPooled ? await buffers.take(held) : Buffer.allocUnsafeSlow(bytes);
    held++;
    return {
      buffer,
      release: () => {
        held--;
        if (isPooled) buffers.give(buffer);
      },
    };
  };
  return {
    async next() {
      await more();
      if (isStopped || (isEnded && rest.byteLength === 0)) return undefined;
      number++;
      const { buffer, release } = await borrow(sizeOf(number));
      let filled = 0;
      try {
        while (filled < buffer.byteLength) {
          await more();
          if (rest.byteLength === 0) break;
          const taken = rest.subarray(0, buffer.byteLength - filled);
          buffer.set(taken, filled);
          filled += taken.byteLength;
          rest = rest.subarray(taken.byteLength);
        }
        // One look ahead: the last part is known as such.
        await more();
      } catch (error) {
        release();
        throw error;
      }
      return { content: buffer.subarray(0, filled), isLast: isEnded && rest.byteLength === 0, release };
    },
    stop() {
      isStopped = true;
      content.destroy();
    },
  };
}
