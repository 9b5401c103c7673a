import { PolicyError } from '../errors.ts';
import { diagnosePosition } from './diagnose.ts';
import type { SourcePosition } from './resolved-policy.ts';

/** Where a value with references stands, for errors. */
export interface ReferenceOwner {
  /** `repository "offsite"`. */
  readonly name: string;
  readonly directory: string;
  readonly source: SourcePosition;
  /** Exact positions of single values by their dotted key. */
  readonly sources?: Readonly<Record<string, SourcePosition>> | undefined;
}

/** A reference that leads nowhere. Shows the reference, never a value. */
export function unresolvable(
  owner: ReferenceOwner,
  key: string,
  written: string,
  reason: string,
  hint: string,
): PolicyError {
  const message = `cannot resolve ${written} in ${owner.name}: ${reason}`;
  const at = positionOf(owner, key);
  return new PolicyError(at.file, [diagnosePosition('BKP2032', at, message, hint)]);
}

/** A value that only its references made wrong; the value itself may be secret and is not shown. */
export function wrongValue(owner: ReferenceOwner, key: string, reason: string): PolicyError {
  const at = positionOf(owner, key);
  const message = `"${key}" in ${owner.name} is wrong once its references are resolved: ${reason}`;
  return new PolicyError(at.file, [diagnosePosition('BKP2033', at, message, 'look at what the reference stands for')]);
}

function positionOf(owner: ReferenceOwner, key: string): SourcePosition {
  return owner.sources?.[key] ?? owner.sources?.[key.split('.')[0] ?? ''] ?? owner.source;
}
