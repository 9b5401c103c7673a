import type { IncomingArtifact } from '../../engine.ts';
import { batchesOf } from './bulk.ts';

/**
 * Decodes the documents of an index and sends them, several batches at once. Resolves when every answer was seen; after a
 * failure nothing is under way any more.
 */
export async function sendAll(
  artifact: IncomingArtifact,
  atOnce: number,
  send: (batch: Buffer) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  const start = (batch: Buffer): void => {
    const sending = send(batch)
      .catch((error: unknown) => void (failure ??= { error }))
      .finally(() => running.delete(sending));
    running.add(sending);
  };
  try {
    await artifact.into({
      kind: 'reader',
      async read(raw) {
        for await (const batch of batchesOf(raw)) {
          if (failure !== undefined) throw failure.error;
          start(batch);
          if (running.size >= atOnce) await Promise.race(running);
        }
      },
    });
  } finally {
    await Promise.all(running);
  }
  if (failure !== undefined) throw (failure as { readonly error: unknown }).error;
}
