import { integrityError } from '../../../errors.ts';
import type { Facts, IncomingArtifact } from '../../engine.ts';
import { readWhole } from '../../read-whole.ts';
import { openFolderInspector } from './folder-reader.ts';
import { FOLDER_FORMAT, STORED_FORMATS } from './format.ts';
import { openDumpInspector } from './inspector.ts';

/** Reads a stored dump to its end. Throws `integrity` unless it is whole. */
export async function readDump(artifact: IncomingArtifact): Promise<Facts> {
  assertFormat(artifact);
  return readWhole(artifact, artifact.format === FOLDER_FORMAT ? openFolderInspector() : openDumpInspector());
}

/** Throws `integrity` for a format that is none of this engine's. */
export function assertFormat({ format }: Pick<IncomingArtifact, 'format'>): void {
  if (!STORED_FORMATS.includes(format))
    throw integrityError(`cannot read the snapshot: its dump has the format ${format}`, {
      hint: `bkp reads ${STORED_FORMATS.join(', ')}`,
    });
}
