import { Readable } from 'node:stream';

export interface Gate {
  /** Sees every chunk before the reader does. */
  onChunk(chunk: Buffer): void;
  /** Runs after the last chunk or a break; the stream ends well only when it resolves, and errors when it rejects. */
  beforeEnd(): Promise<void>;
  /** The reader went away before the end. */
  onAbandoned?(): void;
}

/** Passes a stream on, so that its end can be withheld until everything behind it is known to be right. */
export function gatedStream(source: Readable, gate: Gate): Readable {
  let settled = false;
  const gated = new Readable({
    highWaterMark: 256 * 1024,
    read: () => source.resume(),
    destroy: (error, callback) => {
      if (!settled) {
        settled = true;
        gate.onAbandoned?.();
      }
      source.destroy();
      callback(error);
    },
  });
  const fail = (error: unknown): void => {
    if (settled) return;
    settled = true;
    gated.destroy(error instanceof Error ? error : new Error(String(error)));
  };
  const end = (): void => {
    if (settled) return;
    settled = true;
    gated.push(null);
  };
  source.on('data', (chunk: Buffer) => {
    if (settled) return;
    try {
      gate.onChunk(chunk);
    } catch (error) {
      fail(error);
      return;
    }
    if (!gated.push(chunk)) source.pause();
  });
  // What is behind the stream knows better why it broke.
  source.once('error', (error) => gate.beforeEnd().then(() => fail(error), fail));
  source.once('end', () => gate.beforeEnd().then(end, fail));
  source.once('close', () => {
    if (settled || source.readableEnded || source.errored !== null) return;
    gate.beforeEnd().then(() => fail(new Error('the stream closed early')), fail);
  });
  source.pause();
  return gated;
}
