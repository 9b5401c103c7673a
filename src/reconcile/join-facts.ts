import type { FactValue, Facts } from '../engines/engine.ts';
import { integrityError } from '../errors.ts';
import { factText } from './expectations.ts';

/** What was counted in the artifact and what was counted at its source, as one. Throws `integrity` where they differ. */
export function joinFacts(target: string, inArtifact: Facts, atSource: Facts): Facts {
  assertFactsAgree(inArtifact, atSource, { doing: `cannot trust the capture of ${target}`, where: 'at its source' });
  return { ...atSource, ...inArtifact };
}

/** Holds what was counted in an artifact against what is known of it. What only one of them tells is not compared. */
export function assertFactsAgree(
  found: Facts,
  known: Facts,
  { doing, where }: { readonly doing: string; readonly where: string },
): void {
  const difference = firstDifference(found, known, []);
  if (difference === null) return;
  const { path, found: here, wanted: there } = difference;
  throw integrityError(
    `${doing}: ${path.join(' ')} is ${factText(here)} in the artifact and ${factText(there)} ${where}`,
  );
}

interface Difference {
  readonly path: readonly string[];
  readonly found: FactValue;
  readonly wanted: FactValue;
}

/** At the top level only what both tell is compared; below, what one lacks is a difference. */
function firstDifference(found: Facts, wanted: Facts, path: readonly string[]): Difference | null {
  const keys = Object.keys(found).concat(path.length === 0 ? [] : Object.keys(wanted));
  for (const key of new Set(keys)) {
    if (path.length === 0 && !(key in wanted)) continue;
    const [one = null, other = null] = [found[key], wanted[key]];
    const deeper = [...path, key];
    if (isNested(one) && isNested(other)) {
      const difference = firstDifference(one, other, deeper);
      if (difference !== null) return difference;
    } else if (one !== other) {
      return { path: deeper, found: one, wanted: other };
    }
  }
  return null;
}

const isNested = (value: FactValue): value is Facts => typeof value === 'object' && value !== null;
