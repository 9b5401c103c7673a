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
  const facts = Object.entries(kind === 'target' ? TARGET_FACTS : REPOSITORY_FACTS);
  const paths = facts.find(([type]) => type === config.type)?.[1].paths ?? [];
  const entries = Object.entries(config).map(([key, value]) => [
    key,
    paths.includes(key) ? absolute(value, directory) : value,
  ]);
  return Object.fromEntries(entries) as T;
}

function absolute(value: unknown, directory: string): unknown {
  if (Array.isArray(value)) return value.map((item) => absolute(item, directory));
  return typeof value === 'string' && !holdsReference(value) ? resolve(directory, value) : value;
}
