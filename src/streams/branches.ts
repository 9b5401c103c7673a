import { once } from 'node:events';
import { PassThrough, pipeline, type Readable, Transform } from 'node:stream';

/** One stream as several, at the speed of the slowest that is still read. */
export interface Branches {
  /** What came in, for its first reader. */
  readonly main: Readable;
  /** The same for others. One that goes away holds up nobody. They end only when they are told to. */
  readonly others: readonly Readable[];
  /** Ends the others well: what came was all of it, and right. */
  end(): void;
  /** Breaks the others off. */
  fail(error: Error): void;
}

export function branch(source: Readable, count: number): Branches {
  const others = Array.from({ length: count }, () => new PassThrough({ highWaterMark: 1024 * 1024 }));
  // A reader that comes late, or never, must not end the process.
  for (const other of others) other.on('error', () => undefined);
  const main = new Transform({
    readableHighWaterMark: 256 * 1024,
    transform(chunk: Buffer, _encoding, done) {
      Promise.all(others.map((other) => give(other, chunk))).then(() => done(null, chunk), done);
    },
  });
  // Whoever reads `main` hears of every failure.
  pipeline(source, main, () => undefined);
  return {
    main,
    others,
    end: () => others.forEach((other) => other.end()),
    fail: (error) => others.forEach((other) => other.destroy(error)),
  };
}

/** Resolves when more may come, or nobody reads any more. */
async function give(to: PassThrough, chunk: Buffer): Promise<void> {
  if (to.destroyed || to.write(chunk)) return;
  const gone = new AbortController();
  const { signal } = gone;
  await Promise.race([once(to, 'drain', { signal }), once(to, 'close', { signal })]).catch(() => undefined);
  gone.abort();
}
