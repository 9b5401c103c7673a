import { resolve } from 'node:path';
import { reasonOf } from '../errors.ts';
import type { RepositoryConfig, Target } from '../generated/policy.ts';
import { REPOSITORY_FACTS, TARGET_FACTS, type TypeFacts } from '../generated/schema-facts.ts';
import { validateRepository, validateTarget, type Validator } from '../generated/validate-policy.js';
import { absolutePaths } from './absolute-paths.ts';
import { splitReferences, targetKeyMayHoldReference, type ReferencePart } from './reference-syntax.ts';
import { unresolvable, wrongValue, type ReferenceOwner } from './reference-errors.ts';
import type { Hook, ResolvedRepository, ResolvedSigning, ResolvedTarget } from './resolved-policy.ts';
import { formatComplaint } from './rules/formats.ts';

/** Where references are looked up: the edge of the program hands in its environment and its file reader. */
export interface Lookups {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The text of a file by its absolute path; throws when it cannot be read. */
  readFile(path: string): string;
  /** Told every value that must be masked from now on. */
  onSecrets(secrets: readonly string[]): void;
}

export interface ResolvedValue {
  readonly value: unknown;
  /** What came from the environment or a file. */
  readonly secrets: readonly string[];
}

/** Looks up every `${env:…}` and `${file:…}` inside a value and turns `$${` into `${`; keys are left alone. */
export function resolveReferences(
  value: unknown,
  lookups: Lookups,
  owner: ReferenceOwner,
  key: string = '',
): ResolvedValue {
  if (typeof value === 'string') return resolveText(value, lookups, owner, key);
  if (typeof value !== 'object' || value === null) return { value, secrets: [] };
  const entries = Object.entries(value).map(([name, inner]) => {
    const resolved = resolveReferences(inner, lookups, owner, key === '' ? name : `${key}.${name}`);
    return [name, resolved] as const;
  });
  const secrets = entries.flatMap(([, resolved]) => resolved.secrets);
  if (Array.isArray(value)) return { value: entries.map(([, resolved]) => resolved.value), secrets };
  return { value: Object.fromEntries(entries.map(([name, resolved]) => [name, resolved.value])), secrets };
}

/** The target as an engine takes it: references looked up, values of the right kind, and what must be masked. */
export function resolveTarget(
  target: ResolvedTarget,
  lookups: Lookups,
): { readonly config: Target; readonly secrets: readonly string[] } {
  const { type } = target.config;
  const owner = { ...target, name: `target "${target.name}"` };
  const mayHold = (key: string): boolean => targetKeyMayHoldReference(type, key);
  const { config, secrets } = resolveConfig(target.config, TARGET_FACTS[type], mayHold, validateTarget, lookups, owner);
  return { config: absolutePaths('target', config, target.directory), secrets };
}

/** The same for a repository. */
export function resolveRepository(
  repository: ResolvedRepository,
  lookups: Lookups,
): { readonly config: RepositoryConfig; readonly secrets: readonly string[] } {
  const { type } = repository.config;
  const owner = { ...repository, name: `repository "${repository.name}"` };
  const mayHold = (key: string): boolean => key !== 'type';
  const facts = REPOSITORY_FACTS[type];
  const { config, secrets } = resolveConfig(repository.config, facts, mayHold, validateRepository, lookups, owner);
  return { config: absolutePaths('repository', config, repository.directory), secrets };
}

/** The text of the private key that snapshots are signed with; undefined where the policy names none. */
export function resolveSigningKey({ privateKey, ...owner }: ResolvedSigning, lookups: Lookups): string | undefined {
  if (privateKey === undefined) return undefined;
  const { value } = resolveReferences(privateKey, lookups, { ...owner, name: 'signing' }, 'privateKey');
  const text = String(value);
  lookups.onSecrets([text]);
  return text;
}

/** The environment a hook adds; every value in it counts as secret. */
export function resolveHookEnv(
  hook: Hook,
  lookups: Lookups,
): { readonly env: Readonly<Record<string, string>>; readonly secrets: readonly string[] } {
  const owner = { name: `hook ${hook.argv[0]}`, directory: hook.directory, source: hook.source, sources: hook.sources };
  const { value } = resolveReferences(hook.env, lookups, owner);
  const env = value as Readonly<Record<string, string>>;
  return { env, secrets: Object.values(env).filter((text) => text !== '') };
}

function resolveConfig<T extends Target | RepositoryConfig>(
  config: T,
  facts: TypeFacts,
  mayHold: (key: string) => boolean,
  isValid: Validator<T>,
  lookups: Lookups,
  owner: ReferenceOwner,
): { readonly config: T; readonly secrets: readonly string[] } {
  const secrets: string[] = [];
  const entries = (Object.entries(config) as [string, unknown][]).map(([key, written]) => {
    if (!mayHold(key)) return [key, written];
    const resolved = resolveReferences(written, lookups, owner, key);
    // Where a thing is must be seen in messages, wherever it came from.
    if (!facts.places.includes(key)) secrets.push(...resolved.secrets);
    if (facts.secrets.includes(key)) secrets.push(...texts(resolved.value));
    const value = written === resolved.value ? written : ofKind(resolved.value, facts.kinds[key]);
    const format = facts.formats[key];
    if (format !== undefined && typeof value === 'string' && formatComplaint(value, format) !== undefined) {
      throw wrongValue(owner, key, `it is not a ${format}`);
    }
    return [key, value];
  });
  const result: unknown = Object.fromEntries(entries);
  if (isValid(result)) return { config: result, secrets: [...new Set(secrets)] };
  const error = isValid.errors?.find(({ keyword }) => keyword !== 'discriminator');
  throw wrongValue(owner, error?.instancePath.split('/')[1] ?? 'type', `it ${error?.message ?? 'is not valid'}`);
}

/** Text that came out of a reference, as the number or truth value its key needs; left as text where it is none. */
function ofKind(value: unknown, kind: TypeFacts['kinds'][string] | undefined): unknown {
  if (typeof value !== 'string') return value;
  if (kind === 'number' && /^-?\d+(\.\d+)?$/.test(value)) return Number(value);
  if (kind === 'boolean' && (value === 'true' || value === 'false')) return value === 'true';
  return value;
}

function texts(value: unknown): readonly string[] {
  if (typeof value === 'string') return value === '' ? [] : [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(texts) : [];
}

function resolveText(text: string, lookups: Lookups, owner: ReferenceOwner, key: string): ResolvedValue {
  const pieces = splitReferences(text).map((part) => ({ part, text: lookUp(part, lookups, owner, key) }));
  const found = pieces.filter(({ part, text: value }) => part.kind !== 'text' && value !== '');
  return { value: pieces.map((piece) => piece.text).join(''), secrets: found.map((piece) => piece.text) };
}

function lookUp(part: ReferencePart, lookups: Lookups, owner: ReferenceOwner, key: string): string {
  switch (part.kind) {
    case 'text':
      return part.text;
    case 'malformed':
      throw unresolvable(
        owner,
        key,
        part.written,
        'it is not a reference',
        'write ${env:NAME}, ${env:NAME:-default} or ${file:PATH}',
      );
    case 'env': {
      const value = lookups.env[part.name];
      if (value !== undefined && (value !== '' || part.fallback === undefined)) return value;
      if (part.fallback !== undefined) return part.fallback;
      throw unresolvable(
        owner,
        key,
        part.written,
        'the variable is not set',
        `set ${part.name}, or give a default: \${env:${part.name}:-default}`,
      );
    }
    case 'file':
      try {
        return lookups.readFile(resolve(owner.directory, part.path)).replace(/\r?\n$/, '');
      } catch (error) {
        throw unresolvable(
          owner,
          key,
          part.written,
          reasonOf(error),
          'the file must be there and readable for this user',
        );
      }
  }
}
