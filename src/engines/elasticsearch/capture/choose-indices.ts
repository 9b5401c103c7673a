import type { Problem } from '../../engine.ts';
import { isOwnName, isPattern, matches } from '../server/name-patterns.ts';
import type { ListedIndex, Listing } from '../server/list-indices.ts';
import type { SearchTarget } from '../server/settings.ts';

export interface Choice {
  readonly indices: readonly ListedIndex[];
  /** What keeps them from being captured. */
  readonly problems: readonly Problem[];
}

type Wanted = Pick<SearchTarget, 'indices' | 'excludeIndices' | 'hidden'>;

/** The indices of a target, by what its server has. What cannot be captured is named, never left out in silence. */
export function chooseIndices(
  { indices, excludeIndices = [], hidden = false }: Wanted,
  listing: Listing,
  keepsClosed: boolean = false,
): Choice {
  const candidates = listing.indices.filter(({ name }) => !isOwnName(name));
  const isMeant = (pattern: string, { name, isHidden, isSystem }: ListedIndex): boolean =>
    matches(pattern, name) &&
    (!isPattern(pattern) || ((hidden || !isHidden) && (!isSystem || pattern.startsWith('.'))));
  const patterns = indices ?? ['*'];
  const isExcluded = ({ name, dataStream }: ListedIndex): boolean =>
    excludeIndices.some(
      (pattern) => matches(pattern, name) || (dataStream !== undefined && matches(pattern, dataStream)),
    );
  const isOfStream = ({ dataStream }: ListedIndex): boolean =>
    dataStream !== undefined &&
    patterns.some(
      (pattern) => matches(pattern, dataStream) && (!dataStream.startsWith('.') || pattern.startsWith('.')),
    );
  const chosen = candidates.filter(
    (index) => !isExcluded(index) && (isOfStream(index) || patterns.some((pattern) => isMeant(pattern, index))),
  );
  const unmatched = patterns.filter(
    (pattern) => !candidates.some((index) => isMeant(pattern, index) || matches(pattern, index.dataStream ?? '')),
  );
  return {
    indices: chosen.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    problems: [
      ...unmatched.map((pattern) => nothingFor(pattern, listing)),
      ...chosen.filter(({ isOpen, dataStream }) => !isOpen && !keepsClosed && dataStream === undefined).map(closed),
      ...[...new Set(chosen.flatMap(({ dataStream = [] }) => dataStream))].map(ofStream),
      ...(chosen.length === 0 && unmatched.length === 0 ? [{ message: 'every index is left out' }] : []),
    ],
  };
}

function nothingFor(pattern: string, { aliases }: Listing): Problem {
  const behind = aliases.get(pattern);
  if (behind !== undefined)
    return { message: `${pattern} is an alias`, hint: `name what is behind it: ${behind.join(', ')}` };
  if (pattern === '*') return { message: 'the server has no index' };
  return { message: isPattern(pattern) ? `no index is meant by ${pattern}` : `there is no index ${pattern}` };
}

const closed = ({ name }: ListedIndex): Problem => ({
  message: `index ${name} is closed, and nobody can read it`,
  hint: `open it, or leave it out with \`excludeIndices: [${name}]\``,
});

const ofStream = (name: string): Problem => ({
  message: `${name} is a data stream, which this version does not capture`,
  hint: `leave it out with \`excludeIndices: [${name}]\``,
});
