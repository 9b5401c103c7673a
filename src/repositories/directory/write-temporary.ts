import type { Readable } from 'node:stream';
import type { FileSteps } from '../file-steps.ts';

const BATCH_BYTES = 1024 * 1024;

/**
 * Writes all content to a new file and syncs it; gives the number of bytes. Errors of the file system are passed
 * through `wrap`, those of the content's source come as they are.
 */
export async function writeTemporary(
  steps: FileSteps,
  path: string,
  content: Readable | Uint8Array,
  wrap: (error: unknown) => Error,
): Promise<number> {
  const attempt = async <T>(step: Promise<T>): Promise<T> => {
    try {
      return await step;
    } catch (error) {
      throw wrap(error);
    }
  };
  const file = await attempt(steps.createFile(path));
  let bytes = 0;
  try {
    for await (const batch of batches(content)) {
      await attempt(steps.write(file, batch));
      bytes += sizeOf(batch);
    }
    await attempt(steps.syncFile(file));
  } finally {
    await attempt(file.close());
  }
  return bytes;
}

async function* batches(content: Readable | Uint8Array): AsyncGenerator<readonly Uint8Array[]> {
  if (content instanceof Uint8Array) {
    if (content.byteLength > 0) yield [content];
    return;
  }
  let batch: Uint8Array[] = [];
  for await (const chunk of content as AsyncIterable<Uint8Array | string>) {
    batch.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
    if (sizeOf(batch) < BATCH_BYTES) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

const sizeOf = (chunks: readonly Uint8Array[]): number => chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
