import { PART_BYTES } from './part-sizes.ts';

/** Buffers of parts, used again and again. */
export interface PartBuffers {
  /** Waits for a buffer. Who holds none gets one at once, so that everybody comes to an end. */
  take(holds: number): Promise<Buffer>;
  give(buffer: Buffer): void;
  /** Lets go of what nobody uses now, before something else needs memory. */
  drop(): void;
}

/** At most so many buffers for all objects that are uploaded at once, beyond the first of each. */
const BUFFERS = 4;

/** The buffers of a repository: however many objects are on their way, they share the memory of a few. */
export function createPartBuffers(): PartBuffers {
  const free: Buffer[] = [];
  const waiting: ((buffer: Buffer) => void)[] = [];
  let made = 0;
  return {
    async take(holds) {
      const buffer = free.pop();
      if (buffer !== undefined) return buffer;
      if (holds > 0 && made >= BUFFERS) return new Promise((resolve) => waiting.push(resolve));
      made++;
      return Buffer.allocUnsafeSlow(PART_BYTES);
    },
    give(buffer) {
      const next = waiting.shift();
      if (next !== undefined) next(buffer);
      else if (made > BUFFERS) made--;
      else free.push(buffer);
    },
    drop() {
      made -= free.length;
      free.length = 0;
    },
  };
}
