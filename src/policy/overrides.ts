import { usageError } from '../errors.ts';
import type { RepositoryConfig, Target } from '../generated/policy.ts';
import { REPOSITORY_FACTS, TARGET_FACTS, type TypeFacts } from '../generated/schema-facts.ts';
import { validateRepository, validateTarget, type SchemaError, type Validator } from '../generated/validate-policy.js';
import { absolutePaths } from './absolute-paths.ts';
import { didYouMean } from './did-you-mean.ts';
import { holdsReference } from './reference-syntax.ts';
import { SETTINGS } from './settings.ts';

export type TargetType = Target['type'];
/** Keys of a target laid over its definition. */
export type Into = Readonly<Record<string, unknown>>;

/** The keys that `into` may name for a type of target. */
export const intoKeys = (type: TargetType): readonly string[] =>
  TARGET_FACTS[type].keys.filter((key) => !SETTINGS.includes(key));

/** The target with `into` laid over it, checked as a whole. Values that are still references pass. */
export function applyInto(config: Target, into: Into): Target {
  const known = intoKeys(config.type);
  const unknown = Object.keys(into).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    throw usageError(
      `cannot restore into "${unknown}": a ${config.type} target has no such key${didYouMean(unknown, known)}`,
      {
        hint: `keys: ${known.join(', ')}`,
      },
    );
  }
  return checked({ ...config, ...into }, validateTarget, `restore into ${Object.keys(into).join(', ')}`);
}

/**
 * Reads `--into key=value` and `--into target.key=value`. `targets` are the targets to be restored, with their types; a
 * key without a target needs exactly one of them. Relative paths start at `directory`.
 */
export function parseIntoFlags(
  flags: readonly string[],
  targets: Readonly<Record<string, TargetType>>,
  directory: string,
): Readonly<Record<string, Into>> {
  const given = new Map<string, [string, string][]>();
  for (const flag of flags) {
    const { target, key, text } = readIntoFlag(flag, targets);
    given.set(target, [...(given.get(target) ?? []), [key, text]]);
  }
  return Object.fromEntries(
    [...given].map(([name, pairs]) => {
      const type = targets[name] as TargetType;
      const typed = typedValues(TARGET_FACTS[type], intoKeys(type), pairs, '--into');
      const { type: _type, ...into } = absolutePaths('target', { ...typed, type } as Target, directory);
      return [name, into];
    }),
  );
}

interface IntoFlag {
  readonly target: string;
  readonly key: string;
  readonly text: string;
}

function readIntoFlag(flag: string, targets: Readonly<Record<string, TargetType>>): IntoFlag {
  const names = Object.keys(targets);
  const [left, text] = splitPair(flag, '--into');
  const dot = left.indexOf('.');
  if (dot === -1) {
    const [only, ...more] = names;
    if (only === undefined || more.length > 0) {
      const example = names.map((name) => `--into ${name}.${flag}`).join(' or ');
      throw usageError(`cannot read --into ${left}: ${names.length} targets are restored`, {
        hint: `name one: ${example}`,
      });
    }
    return { target: only, key: left, text };
  }
  const target = left.slice(0, dot);
  if (!Object.hasOwn(targets, target)) {
    throw usageError(`cannot read --into ${left}: no target "${target}" is restored${didYouMean(target, names)}`, {
      hint: `targets: ${names.join(', ')}`,
    });
  }
  return { target, key: left.slice(dot + 1), text };
}

/** Reads `type=files,paths=/etc/app,/srv/app` as a target: a part without `=` is one more item of the list before it. */
export function parseTargetFlag(flag: string): Target {
  const config = parseConfig(flag, '--target', TARGET_FACTS);
  return checked(config, validateTarget, 'use --target');
}

/** Reads `type=directory,path=/var/backups/bkp`, or just the path, as a repository. */
export function parseRepositoryFlag(flag: string): RepositoryConfig {
  const text = flag.includes('=') ? flag : `type=directory,path=${flag}`;
  const config = parseConfig(text, '--repository', REPOSITORY_FACTS);
  return checked(config, validateRepository, 'use --repository');
}

function parseConfig(
  flag: string,
  name: string,
  facts: Readonly<Record<string, TypeFacts>>,
): Readonly<Record<string, unknown>> {
  const pairs = joinListItems(flag.split(',')).map((part) => splitPair(part, name));
  const type = pairs.find(([key]) => key === 'type')?.[1];
  const types = Object.keys(facts);
  const typeFacts = type === undefined ? undefined : Object.entries(facts).find(([known]) => known === type)?.[1];
  if (type === undefined || typeFacts === undefined) {
    const reason = type === undefined ? 'no type is given' : `unknown type "${type}"${didYouMean(type, types)}`;
    throw usageError(`cannot read ${name}: ${reason}`, {
      hint: `types: ${types.join(', ')}; for example ${name} type=${types[0]},path=…`,
    });
  }
  const rest = pairs.filter(([key]) => key !== 'type');
  return { type, ...typedValues(typeFacts, typeFacts.keys, rest, name) };
}

/** `paths=/a,/b` is one key with two items: a part without `=` belongs to the one before. */
function joinListItems(parts: readonly string[]): readonly string[] {
  const joined: string[] = [];
  for (const part of parts) {
    if (joined.length > 0 && !/^[A-Za-z]\w*=/.test(part)) joined.push(`${joined.pop()},${part}`);
    else joined.push(part);
  }
  return joined;
}

function splitPair(text: string, flag: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at <= 0)
    throw usageError(`cannot read ${flag} ${text}: it needs key=value`, {
      hint: `for example ${flag} path=/srv/restore`,
    });
  return [text.slice(0, at), text.slice(at + 1)];
}

function typedValues(
  facts: TypeFacts,
  known: readonly string[],
  pairs: readonly (readonly [string, string])[],
  flag: string,
): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  for (const [key, text] of pairs) {
    if (!known.includes(key)) {
      throw usageError(`cannot read ${flag} ${key}: unknown key${didYouMean(key, known)}`, {
        hint: `keys: ${known.join(', ')}`,
      });
    }
    const before = values[key];
    if (facts.kinds[key] === 'list')
      values[key] = [...(Array.isArray(before) ? (before as unknown[]) : []), ...text.split(',')];
    else if (before !== undefined) throw usageError(`cannot read ${flag} ${key}: it is given twice`);
    else values[key] = typedValue(facts, key, text, flag);
  }
  return values;
}

function typedValue(facts: TypeFacts, key: string, text: string, flag: string): unknown {
  const kind = facts.kinds[key];
  if (kind === 'number' && /^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (kind === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  if (kind === 'text' || holdsReference(text)) return text;
  if (kind === 'object') return Object.fromEntries(text.split(',').map((part) => splitPair(part, `${flag} ${key}`)));
  throw usageError(`cannot read ${flag} ${key}: it must be ${kind === 'boolean' ? 'true or false' : 'a number'}`);
}

function checked<T>(value: unknown, isValid: Validator<T>, verb: string): T {
  if (isValid(value)) return value;
  const told = (isValid.errors ?? []).find((error) => error.keyword !== 'discriminator' && !holdsReference(error.data));
  if (told === undefined) return value as T;
  throw usageError(`cannot ${verb}: ${tell(told)}`);
}

function tell(error: SchemaError): string {
  const key = error.instancePath.split('/')[1];
  if (error.keyword === 'required') return `${String(error.params['missingProperty'])} is missing`;
  return `${key === undefined ? 'it' : `"${key}"`} ${error.message ?? 'is not valid'}`;
}
