import { integrityError, targetError } from '../../../errors.ts';
import type { IncomingArtifact, RestoreRequest } from '../../engine.ts';
import {
  type DefinitionsHeader,
  type IndexHeader,
  partName,
  STREAM_FORMAT,
  type StreamHeader,
} from '../artifact/index-header.ts';
import { aliasesAt, chosenNames, destinationOf, namesIn, type WantedIndex } from '../restore/wanted.ts';
import type { SearchTarget } from '../server/settings.ts';

/** A data stream that shall come back. */
export interface WantedStream extends Pick<WantedIndex, 'aliases' | 'lostAliases'>, Pick<StreamHeader, 'template'> {
  readonly name: string;
  /** What it is called there. */
  readonly to: string;
  /** What it consists of, the oldest first. */
  readonly indices: readonly WantedIndex[];
}

/** The data streams that a restore is about. */
export function wantedStreams(
  header: DefinitionsHeader,
  {
    artifacts,
    paths,
    destination: { rename },
  }: Pick<RestoreRequest<SearchTarget>, 'artifacts' | 'paths' | 'destination'>,
  others: readonly WantedIndex[],
): readonly WantedStream[] {
  const names = new Set(chosenNames(namesIn(header), paths));
  const taken = new Map(others.map(({ name, to }) => [to, name]));
  return (header.dataStreams ?? [])
    .filter(({ name }) => names.has(name))
    .map(({ name, indices, template, aliases }) => {
      const to = destinationOf(name, rename);
      const other = taken.get(to);
      if (other !== undefined) throw targetError(`cannot restore ${other} and ${name}: both would be called ${to}`);
      taken.set(to, name);
      const captured = new Map(Object.entries(aliases).map(([alias, value]) => [alias, Buffer.from(value)]));
      return {
        name,
        to,
        template,
        ...aliasesAt(to, captured, name, rename),
        indices: indices.map((index, position) => ({
          ...index,
          to: partAt(index.name, name, to),
          settings: {},
          mappingsBody: Buffer.from('{}'),
          aliases: new Map(),
          lostAliases: [],
          artifact: header.snapshot === undefined ? documentsOf(index, partName(name, position), artifacts) : null,
        })),
      };
    });
}

/** Null where an index of a stream was empty. */
function documentsOf(
  { name, documents }: IndexHeader,
  part: string,
  artifacts: readonly IncomingArtifact[],
): IncomingArtifact | null {
  const artifact = artifacts.find((one) => one.format === STREAM_FORMAT && one.name === part);
  if (artifact === undefined && documents > 0)
    throw integrityError(`cannot restore index ${name}: the snapshot has only a part of it`);
  return artifact ?? null;
}

/** What a server calls an index of a stream under another name. */
function partAt(index: string, stream: string, to: string): string {
  if (stream === to) return index;
  const begin = `.ds-${stream}`;
  if (index.startsWith(begin)) return `.ds-${to}${index.slice(begin.length)}`;
  throw targetError(`cannot restore data stream ${stream} as ${to}: its index ${index} has a name of its own`, {
    hint: 'restore it under its own name',
  });
}
