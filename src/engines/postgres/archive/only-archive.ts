import { integrityError } from '../../../errors.ts';
import type { IncomingArtifact } from '../../engine.ts';

/** The one archive of a captured database. */
export function onlyArchive(artifacts: readonly IncomingArtifact[]): IncomingArtifact {
  const [artifact] = artifacts;
  if (artifact !== undefined && artifacts.length === 1) return artifact;
  throw integrityError(`cannot read the snapshot: a database has one archive, this one has ${artifacts.length}`);
}
