/**
 * Code that reads bytes one after the other: it yields how many it needs next and is given exactly those. They are valid
 * until it yields again.
 */
export type Reading<T> = Generator<number, T, Buffer>;

/** Gives pushed bytes to code that reads. */
export interface Feed<T> {
  /** Returns how many bytes of the chunk were taken: all of them until `outcome` is there. */
  push(chunk: Buffer): number;
  outcome(): T | undefined;
}

/** Starts a reading. What it asks for at once is held in memory, so it must ask for little. */
export function createFeed<T>(reading: Reading<T>): Feed<T> {
  let step = reading.next();
  let held: Buffer = Buffer.allocUnsafe(64);
  let heldBytes = 0;

  const take = (chunk: Buffer, at: number, needed: number): number => {
    if (held.length < needed) held = Buffer.concat([held.subarray(0, heldBytes)], needed);
    const taken = chunk.copy(held, heldBytes, at, at + needed - heldBytes);
    heldBytes += taken;
    return taken;
  };

  return {
    push(chunk) {
      let at = 0;
      while (step.done !== true) {
        const needed = step.value;
        if (heldBytes === 0 && chunk.length - at >= needed) {
          const piece = chunk.subarray(at, at + needed);
          at += needed;
          step = reading.next(piece);
          continue;
        }
        at += take(chunk, at, needed);
        if (heldBytes < needed) break;
        heldBytes = 0;
        step = reading.next(held.subarray(0, needed));
      }
      return at;
    },
    outcome: () => (step.done === true ? step.value : undefined),
  };
}

/** A reading that also tells how many bytes it took. */
export function* measured<T>(reading: Reading<T>): Reading<{ readonly outcome: T; readonly bytes: number }> {
  let bytes = 0;
  let step = reading.next();
  while (step.done !== true) {
    const piece = yield step.value;
    bytes += piece.length;
    step = reading.next(piece);
  }
  return { outcome: step.value, bytes };
}
