import { integrityError } from '../../errors.ts';

/** Line ends that may follow a mark. */
const MOST_LINE_ENDS = 16;

/** Watches what passes for the text that must be the last of it. */
export interface EndMark {
  push(chunk: Buffer): void;
  /** Throws `integrity` unless the mark came last. */
  assertSeen(): void;
}

/** Without a mark everything is as it should be. */
export function watchForEndMark(mark: string | undefined): EndMark {
  if (mark === undefined) return { push: () => undefined, assertSeen: () => undefined };
  const keep = Buffer.byteLength(mark) + MOST_LINE_ENDS;
  let tail = Buffer.alloc(0);
  return {
    push(chunk) {
      // A copy: the chunk is reused.
      tail = Buffer.concat([tail, chunk.subarray(Math.max(0, chunk.length - keep))]).subarray(-keep);
    },
    assertSeen() {
      if (
        tail
          .toString('latin1')
          .replace(/[\r\n]+$/, '')
          .endsWith(Buffer.from(mark).toString('latin1'))
      )
        return;
      throw integrityError(`cannot trust the artifact: it does not end with ${JSON.stringify(mark)}`, {
        hint: 'it is cut, or `endMark` is not what the program writes last',
      });
    },
  };
}
