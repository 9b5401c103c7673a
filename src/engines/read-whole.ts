import type { Facts, IncomingArtifact, RawReader } from './engine.ts';

/** Shows all of a stored artifact to a reader and tells what it counted. Throws `integrity` where it is not whole. */
export async function readWhole(artifact: IncomingArtifact, reader: RawReader): Promise<Facts> {
  let facts: Facts = {};
  await artifact.into({
    kind: 'reader',
    read: async (raw) => {
      for await (const chunk of raw) reader.push(chunk as Buffer);
      facts = reader.end();
    },
  });
  return facts;
}
