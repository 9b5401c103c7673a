import type { Facts, IncomingArtifact } from '../../engine.ts';
import { integrityError } from '../../../errors.ts';
import { readWhole } from '../../read-whole.ts';
import { openArchiveInspector } from './archive-facts.ts';
import { type ArchiveStart, createArchiveReader } from './archive-reader.ts';
import { cutArchive } from './errors.ts';

/** The native format in manifests. */
export const ARCHIVE_FORMAT = 'mongodump-archive';

/** The one archive of a captured target. */
export function onlyArchive(artifacts: readonly IncomingArtifact[]): IncomingArtifact {
  const [artifact] = artifacts;
  if (artifact?.format === ARCHIVE_FORMAT && artifacts.length === 1) return artifact;
  throw integrityError(
    `cannot read the snapshot: a MongoDB target has one artifact of the format ${ARCHIVE_FORMAT}, this one has ${
      artifacts.map(({ format }) => format).join(', ') || 'none'
    }`,
  );
}

/** Reads a whole archive. Throws `integrity` unless it is whole and right. */
export const readArchive = (artifact: IncomingArtifact): Promise<Facts> => readWhole(artifact, openArchiveInspector());

/** Thrown to leave an archive once enough of it is known. */
class Enough extends Error {}

/** What stands before the documents; the rest is left alone. */
export async function readArchiveStart(artifact: IncomingArtifact): Promise<ArchiveStart> {
  const reader = createArchiveReader();
  let start: ArchiveStart | undefined;
  const reading = artifact.into({
    kind: 'reader',
    read: async (raw) => {
      for await (const chunk of raw) {
        reader.push(chunk as Buffer);
        start = reader.start();
        if (start !== undefined) throw new Enough();
      }
    },
  });
  await reading.catch((error: unknown) => {
    if (!(error instanceof Enough)) throw error;
  });
  if (start === undefined) throw cutArchive('in its header');
  return start;
}
