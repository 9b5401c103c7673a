import { integrityError } from '../../../errors.ts';
import type { Facts, IncomingArtifact } from '../../engine.ts';
import { readWhole } from '../../read-whole.ts';
import { DUMP_FORMAT } from './format.ts';
import { openDumpInspector } from './inspector.ts';

/** Reads a stored dump to its end. Throws `integrity` unless it is whole. */
export async function readDump(artifact: IncomingArtifact): Promise<Facts> {
  assertFormat(artifact);
  return readWhole(artifact, openDumpInspector());
}

/** Throws `integrity` for a format that is none of this engine's. */
export function assertFormat({ format }: Pick<IncomingArtifact, 'format'>): void {
  if (format !== DUMP_FORMAT)
    throw integrityError(`cannot read the snapshot: its dump has the format ${format}`, {
      hint: `bkp reads ${DUMP_FORMAT}`,
    });
}
