import { diffLines } from 'diff';
import { stringify } from 'yaml';
import type { Paint } from './terminal.ts';

/** Changed lines of two definitions as YAML, `- ` and `+ ` first; none when either is unknown. Definitions hold no secrets. */
export function diffDefinitions(before: unknown, after: unknown, paint: Paint): readonly string[] {
  if (before === null || before === undefined || after === null || after === undefined) return [];
  return diffLines(stringify(before), stringify(after))
    .filter((part) => part.added || part.removed)
    .flatMap((part) =>
      part.value
        .trimEnd()
        .split('\n')
        .map((line) => (part.added ? paint('green', `+ ${line}`) : paint('red', `- ${line}`))),
    );
}
