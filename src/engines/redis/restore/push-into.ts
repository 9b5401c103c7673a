import type { IncomingArtifact, RawReader } from '../../engine.ts';

/** Hands all of an artifact to a reader. */
export async function pushInto(artifact: IncomingArtifact, reader: Pick<RawReader, 'push'>): Promise<void> {
  await artifact.into({
    kind: 'reader',
    async read(raw) {
      for await (const chunk of raw as AsyncIterable<Buffer>) reader.push(chunk);
    },
  });
}
