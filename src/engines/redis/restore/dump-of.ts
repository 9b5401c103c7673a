import { usageError } from '../../../errors.ts';
import type { IncomingArtifact } from '../../engine.ts';
import { DUMP_FORMAT } from '../rdb/dump-format.ts';

/** The artifact that has the keys. */
export function dumpOf(artifacts: readonly IncomingArtifact[]): IncomingArtifact {
  const found = artifacts.find(({ format }) => format === DUMP_FORMAT);
  if (found === undefined) throw usageError('cannot restore redis: the snapshot has no dump of it');
  return found;
}
