import { resolve } from 'node:path';
import type { RepositoryConfig, Target } from '../generated/policy.ts';
import { REPOSITORY_FACTS, TARGET_FACTS } from '../generated/schema-facts.ts';
import { holdsReference } from './reference-syntax.ts';

/**
 * The same settings with their paths made absolute from the folder of their file. A path with a reference in it is left
 * for later, when it is known what it says.
 */
export function absolutePaths<T extends Target | RepositoryConfig>(
  kind: 'target' | 'repository',
  config: T,
  directory: string,
): T {
  const types = Object.entries(kind === 'target' ? TARGET_FACTS : REPOSITORY_FACTS);
  const facts = types.find(([type]) => type === config.type)?.[1];
  const entries = Object.entries(config).map(([key, value]) => [
    key,
    facts?.paths.includes(key) === true ? absolute(value, directory) : value,
  ]);
  return Object.fromEntries(entries) as T;
}

/** A target with the folder of its file where the schema wants that by default. */
export function withDefaultDirectory(config: Target, directory: string): Target {
  const keys = TARGET_FACTS[config.type].defaultDirectory;
  return { ...Object.fromEntries(keys.map((key) => [key, directory])), ...config };
}

function absolute(value: unknown, directory: string): unknown {
  if (Array.isArray(value)) return value.map((item) => absolute(item, directory));
  return typeof value === 'string' && !holdsReference(value) ? resolve(directory, value) : value;
}
