import type { Context } from '../context.ts';
import { BkpError } from '../errors.ts';
import type { IncomingArtifact, RawReader } from './engine.ts';

/**
 * Does something with a dump. Where that fails, the whole dump is read once more: if it is damaged, that is the reason,
 * whatever the programs said that stumbled over it.
 */
export async function orDamage<T>(
  artifact: IncomingArtifact,
  open: () => RawReader,
  context: Context,
  act: () => Promise<T>,
): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const isSuspect = error instanceof BkpError && (error.code === 'target' || error.code === 'tool');
    if (isSuspect && !context.signal.aborted) await readWhole(artifact, open());
    throw error;
  }
}

/** Throws `integrity` where a dump is not whole; other troubles are none of its own. */
async function readWhole(artifact: IncomingArtifact, reader: RawReader): Promise<void> {
  const read = artifact.into({
    kind: 'reader',
    read: async (raw) => {
      for await (const chunk of raw) reader.push(chunk as Buffer);
      reader.end();
    },
  });
  await read.catch((error: unknown) => {
    if (error instanceof BkpError && error.code === 'integrity') throw error;
  });
}
