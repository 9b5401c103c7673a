import { integrityError } from '../../../errors.ts';
import type { IncomingArtifact } from '../../engine.ts';
import { assertFormat } from '../dump/read-dump.ts';

/** The one dump of a captured database. */
export function onlyDump(artifacts: readonly IncomingArtifact[]): IncomingArtifact {
  const [artifact] = artifacts;
  if (artifact === undefined || artifacts.length !== 1)
    throw integrityError(`cannot read the snapshot: a database has one dump, this one has ${artifacts.length}`);
  assertFormat(artifact);
  return artifact;
}
