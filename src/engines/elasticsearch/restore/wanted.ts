import { integrityError, notFoundError, targetError } from '../../../errors.ts';
import type { IncomingArtifact, RestoreRequest } from '../../engine.ts';
import type { Definitions } from '../artifact/definitions.ts';
import { type DefinitionsHeader, DOCUMENTS_FORMAT, type IndexHeader, pathOfIndex } from '../artifact/index-header.ts';
import { fieldsOf } from '../json/walk.ts';
import { matches } from '../server/name-patterns.ts';
import type { SearchTarget } from '../server/settings.ts';
import type { Settings } from './settings.ts';

/** An index that shall come back. */
export interface WantedIndex extends IndexHeader {
  /** What it is called there. */
  readonly to: string;
  readonly settings: Settings;
  readonly mappingsBody: Buffer;
  /** By name, as the server wrote them; those that the new name leaves no room for are missing. */
  readonly aliases: ReadonlyMap<string, Buffer>;
  readonly lostAliases: readonly string[];
  /** Null where it has no documents. */
  readonly artifact: IncomingArtifact | null;
}

export type Rename = SearchTarget['rename'];

/** The name that `rename` gives; null for a name that it does not mean. */
function renamed(name: string, rename: Rename): string | null {
  if (rename === undefined || !matches(rename.from, name)) return null;
  const [before = '', after = ''] = rename.from.split('*');
  return rename.to.replace('*', () => name.slice(before.length, name.length - after.length));
}

/** Names, or patterns, among those of a snapshot. Throws `not-found` for one that means none of them. */
export function chosenNames(names: readonly string[], paths: readonly string[]): readonly string[] {
  const nowhere = paths.find((path) => !names.some((name) => matches(path, name)));
  if (nowhere !== undefined)
    throw notFoundError(`cannot restore ${nowhere}: the snapshot has no such index`, {
      hint: `it has ${names.join(', ')}`,
    });
  return paths.length === 0 ? names : names.filter((name) => paths.some((path) => matches(path, name)));
}

/** Where an index goes. */
export const destinationOf = (name: string, rename: Rename): string => renamed(name, rename) ?? name;

/** Everything that a restore can be asked for by its name. */
export const namesIn = ({ indices, dataStreams = [] }: DefinitionsHeader): readonly string[] =>
  [...indices, ...dataStreams].map(({ name }) => name);

/** The indices that a restore is about, with all that is known of them. */
export function wantedIndices(
  { header, definitions }: Definitions,
  { artifacts, paths, destination }: RestoreRequest<SearchTarget>,
): readonly WantedIndex[] {
  const names = new Set(chosenNames(namesIn(header), paths));
  const wanted = header.indices.filter(({ name }) => names.has(name));
  const bodies = new Map(definitions.map(({ path, body }) => [path, body]));
  const taken = new Map<string, string>();
  return wanted.map((index) => {
    const { name } = index;
    const to = destinationOf(name, destination.rename);
    const other = taken.get(to);
    if (other !== undefined) throw targetError(`cannot restore ${other} and ${name}: both would be called ${to}`);
    taken.set(to, name);
    const body = bodies.get(pathOfIndex(name));
    const artifact = artifacts.find((one) => one.format === DOCUMENTS_FORMAT && one.name === name);
    if (body === undefined || (artifact === undefined && index.documents > 0 && header.snapshot === undefined))
      throw integrityError(`cannot restore index ${name}: the snapshot has only a part of it`);
    const parts = fieldsOf(body);
    const captured = fieldsOf(parts.get('aliases') ?? EMPTY);
    return {
      ...index,
      to,
      artifact: artifact ?? null,
      settings: { ...(JSON.parse((parts.get('settings') ?? EMPTY).toString()) as Settings), ...index.afterwards },
      mappingsBody: parts.get('mappings') ?? EMPTY,
      ...aliasesAt(to, captured, name, destination.rename),
    };
  });
}

/** An index under another name must not double what its aliases mean: they are renamed alike, or left out. */
export function aliasesAt(
  to: string,
  captured: ReadonlyMap<string, Buffer>,
  name: string,
  rename: Rename,
): Pick<WantedIndex, 'aliases' | 'lostAliases'> {
  const pairs = [...captured].map(([alias, value]) => ({
    alias,
    value,
    now: name === to ? alias : renamed(alias, rename),
  }));
  return {
    aliases: new Map(pairs.flatMap(({ now, value }) => (now === null ? [] : [[now, value] as const]))),
    lostAliases: pairs.flatMap(({ alias, now }) => (now === null ? [alias] : [])),
  };
}

const EMPTY = Buffer.from('{}');
