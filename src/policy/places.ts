import type { RepositoryConfig, Target } from '../generated/policy.ts';
import { REPOSITORY_FACTS, TARGET_FACTS } from '../generated/schema-facts.ts';

/**
 * True when two targets of one type are, at least in part, the same place: every key that says where agrees; lists of
 * paths agree when they share one.
 */
export function isSameTarget(a: Target, b: Target): boolean {
  return a.type === b.type && agree(a, b, TARGET_FACTS[a.type].places);
}

/** The same for repositories. */
export function isSameRepository(a: RepositoryConfig, b: RepositoryConfig): boolean {
  return a.type === b.type && agree(a, b, REPOSITORY_FACTS[a.type].places);
}

function agree(a: object, b: object, keys: readonly string[]): boolean {
  const read = (config: object, key: string): unknown => (config as Readonly<Record<string, unknown>>)[key];
  return keys.length > 0 && keys.every((key) => overlap(read(a, key), read(b, key)));
}

function overlap(a: unknown, b: unknown): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return a === b;
  return a.some((item) => b.includes(item));
}
