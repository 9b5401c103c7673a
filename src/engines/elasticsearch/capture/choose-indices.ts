import type { Problem } from '../../engine.ts';
import { isOwnName, isPattern, matches } from '../server/name-patterns.ts';
import type { ListedIndex, ListedStream, Listing } from '../server/list-indices.ts';
import type { SearchTarget } from '../server/settings.ts';

export interface Choice {
  readonly indices: readonly ListedIndex[];
  readonly streams: readonly ListedStream[];
  /** What keeps them from being captured. */
  readonly problems: readonly Problem[];
}

type Wanted = Pick<SearchTarget, 'indices' | 'excludeIndices' | 'hidden'>;

/**
 * The indices and data streams of a target, by what its server has. A stream is chosen by its own name, and whole. What
 * cannot be captured is named, never left out in silence.
 */
export function chooseIndices(
  { indices, excludeIndices = [], hidden = false }: Wanted,
  listing: Listing,
  keepsClosed: boolean = false,
): Choice {
  const isMeant = (pattern: string, { name, isHidden, isSystem }: Named): boolean =>
    matches(pattern, name) &&
    (!isPattern(pattern) || ((hidden || !isHidden) && (!isSystem || pattern.startsWith('.'))));
  const patterns = indices ?? ['*'];
  const isExcluded = (name: string): boolean => excludeIndices.some((pattern) => matches(pattern, name));
  const all = listing.dataStreams.map((stream) => ({ ...stream, isSystem: stream.name.startsWith('.') }));
  const candidates = listing.indices.filter(({ name }) => !isOwnName(name));
  const isChosen = (one: Named): boolean => !isExcluded(one.name) && patterns.some((pattern) => isMeant(pattern, one));
  const streams = all.filter(isChosen);
  const withStream = new Set(streams.map(({ name }) => name));
  const named = candidates.filter(isChosen);
  const chosen = named.filter(({ dataStream }) => dataStream === undefined);
  const parts = candidates.filter(({ dataStream = '' }) => withStream.has(dataStream));
  const strays = named.filter(
    ({ dataStream }) => dataStream !== undefined && !withStream.has(dataStream) && !isExcluded(dataStream),
  );
  const unmatched = patterns.filter((pattern) => ![...candidates, ...all].some((one) => isMeant(pattern, one)));
  const isNothing = chosen.length + streams.length + strays.length + unmatched.length === 0;
  return {
    indices: chosen.toSorted(byName),
    streams: streams.toSorted(byName),
    problems: [
      ...unmatched.map((pattern) => nothingFor(pattern, listing)),
      ...[...chosen, ...parts].filter(({ isOpen }) => !isOpen && !keepsClosed).map(closed),
      ...strays.map(partOfStream),
      ...parts.filter(({ name }) => isExcluded(name)).map(partLeftOut),
      ...(isNothing ? [{ message: 'every index is left out' }] : []),
    ],
  };
}

type Named = Pick<ListedIndex, 'name' | 'isHidden' | 'isSystem'>;

const byName = (a: { readonly name: string }, b: { readonly name: string }): number => (a.name < b.name ? -1 : 1);

function nothingFor(pattern: string, { aliases }: Listing): Problem {
  const behind = aliases.get(pattern);
  if (behind !== undefined)
    return { message: `${pattern} is an alias`, hint: `name what is behind it: ${behind.join(', ')}` };
  if (pattern === '*') return { message: 'the server has no index' };
  return { message: isPattern(pattern) ? `no index is meant by ${pattern}` : `there is no index ${pattern}` };
}

const closed = ({ name, dataStream }: ListedIndex): Problem => ({
  message: `index ${name} is closed, and nobody can read it`,
  hint: `open it, or leave it out with \`excludeIndices: [${dataStream ?? name}]\``,
});

const partOfStream = ({ name, dataStream = '' }: ListedIndex): Problem => ({
  message: `index ${name} is a part of data stream ${dataStream}, which is captured as a whole`,
  hint: `name ${dataStream} under \`indices\`, or leave it out with \`excludeIndices: [${dataStream}]\``,
});

const partLeftOut = ({ name, dataStream = '' }: ListedIndex): Problem => ({
  message: `index ${name} cannot be left out: it is a part of data stream ${dataStream}`,
  hint: `leave out all of it with \`excludeIndices: [${dataStream}]\``,
});
