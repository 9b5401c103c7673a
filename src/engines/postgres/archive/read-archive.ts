import type { IncomingArtifact } from '../../engine.ts';
import { storedFormat } from './dump-formats.ts';

/** Reads a stored dump to its end. Throws `integrity` where it is not whole. */
export async function readArchive(artifact: IncomingArtifact): Promise<void> {
  const reader = storedFormat(artifact).open();
  await artifact.into({
    kind: 'reader',
    read: async (raw) => {
      for await (const chunk of raw) reader.push(chunk as Buffer);
      reader.end();
    },
  });
}
