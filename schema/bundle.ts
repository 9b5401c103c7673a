import { readdirSync, readFileSync } from 'node:fs';

/** A JSON Schema object, as loosely as the generator needs it. */
export interface Schema {
  [keyword: string]: unknown;
}

/** The hand-written pieces: the root, the common definitions, one per engine and per kind of repository. */
export interface Fragments {
  readonly root: Schema;
  readonly common: Schema;
  readonly engines: readonly Schema[];
  readonly repositories: readonly Schema[];
}

const here = new URL('.', import.meta.url);

/** Reads one schema file of this folder. */
export function readSchema(path: string): Schema {
  return JSON.parse(readFileSync(new URL(path, here), 'utf8')) as Schema;
}

/** Reads all fragments, engines and repositories sorted by file name. */
export function readFragments(): Fragments {
  const folder = (name: string): Schema[] =>
    readdirSync(new URL(`${name}/`, here))
      .filter((file) => file.endsWith('.schema.json'))
      .toSorted()
      .map((file) => readSchema(`${name}/${file}`));
  return {
    root: readSchema('policy.schema.json'),
    common: readSchema('common.schema.json'),
    engines: folder('engines'),
    repositories: folder('repositories'),
  };
}

const titleOf = (schema: Schema): string => String(schema['title']);
/** The `type` an engine or repository fragment is about. */
export const tagOf = (schema: Schema): string => String(child(child(schema, 'properties'), 'type')['const']);
export const child = (schema: Schema, key: string): Schema => schema[key] as Schema;

/**
 * The union of fragments: `discriminator` picks the branch by `type`, and the redundant `enum` beside it makes a wrong
 * `type` one error that lists what is allowed.
 */
function unionOf(title: string, description: string, branches: readonly Schema[], refs: readonly string[]): Schema {
  return {
    title,
    description,
    type: 'object',
    discriminator: { propertyName: 'type' },
    required: ['type'],
    properties: { type: { enum: branches.map(tagOf) } },
    oneOf: refs.map(($ref) => ({ $ref })),
  };
}

export const targetUnion = (fragments: Fragments, refs: readonly string[]): Schema =>
  unionOf('Target', 'One thing to protect.', fragments.engines, refs);
export const repositoryUnion = (fragments: Fragments, refs: readonly string[]): Schema =>
  unionOf('RepositoryConfig', 'Where snapshots are stored.', fragments.repositories, refs);

/** One self-contained schema: every reference is `#/definitions/…`, and one with keywords beside it is written out. */
export function bundleSchema(fragments: Fragments): Schema {
  const common = child(fragments.common, 'definitions');
  const definitions: Record<string, Schema> = {};
  const local = (schema: Schema): Schema => localize(schema, common) as Schema;
  for (const [name, definition] of Object.entries(common)) definitions[name] = local(definition as Schema);
  for (const fragment of [...fragments.engines, ...fragments.repositories]) {
    const { $schema: _schema, $id: _id, ...body } = fragment;
    definitions[titleOf(fragment)] = local(body);
  }
  const refs = (list: readonly Schema[]): string[] => list.map((fragment) => `#/definitions/${titleOf(fragment)}`);
  definitions['Target'] = targetUnion(fragments, refs(fragments.engines));
  definitions['RepositoryConfig'] = repositoryUnion(fragments, refs(fragments.repositories));
  return { ...local(fragments.root), definitions };
}

function localize(value: unknown, common: Schema): unknown {
  if (Array.isArray(value)) return value.map((item) => localize(item, common));
  if (typeof value !== 'object' || value === null) return value;
  const { $ref, ...beside } = value as Schema;
  const entries = Object.entries(beside).map(([key, item]) => [
    key,
    key === 'examples' ? item : localize(item, common),
  ]);
  const rest = Object.fromEntries(entries) as Schema;
  if (typeof $ref !== 'string') return rest;
  const name = $ref.includes('#') ? $ref.slice($ref.lastIndexOf('/') + 1) : undefined;
  if (name === undefined)
    return { $ref: $ref === 'target.schema.json' ? '#/definitions/Target' : '#/definitions/RepositoryConfig' };
  if (Object.keys(rest).length === 0) return { $ref: `#/definitions/${name}` };
  return { ...(localize(common[name], common) as Schema), ...rest };
}
