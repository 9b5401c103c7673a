import { diffLines } from 'diff';
import { stringify } from 'yaml';
import type { Paint } from './terminal.ts';

/**
 * Changed keys of two definitions, target by target as YAML, `- ` and `+ ` first; none when either is unknown.
 * Definitions hold no secrets.
 */
export function diffDefinitions(before: unknown, after: unknown, paint: Paint): readonly string[] {
  if (!isMap(before) || !isMap(after)) return [];
  const targets = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted();
  return targets.flatMap((target) => {
    const lines = diffLines(yamlOf(before[target]), yamlOf(after[target]))
      .filter((part) => part.added || part.removed)
      .flatMap((part) =>
        part.value
          .trimEnd()
          .split('\n')
          .map((line) => (part.added ? paint('green', `+ ${line}`) : paint('red', `- ${line}`))),
      );
    return lines.length === 0 ? [] : [`${target}:`, ...lines.map((line) => `  ${line}`)];
  });
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  value !== null && typeof value === 'object';

/** Sorted, so that the order of keys is no difference. */
const yamlOf = (value: unknown): string => (value === undefined ? '' : stringify(value, { sortMapEntries: true }));
