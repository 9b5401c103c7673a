import type { RepositoryConfig, Target } from '../generated/policy.ts';
import { REPOSITORY_FACTS, TARGET_FACTS, type TypeFacts } from '../generated/schema-facts.ts';

/**
 * True when two targets of one type are, at least in part, the same place: every key that says where agrees; lists of
 * paths agree when they share one, programs when they and all arguments are the same.
 */
export function isSameTarget(a: Target, b: Target): boolean {
  return a.type === b.type && agree(a, b, TARGET_FACTS[a.type]);
}

/** The same for repositories. */
export function isSameRepository(a: RepositoryConfig, b: RepositoryConfig): boolean {
  return a.type === b.type && agree(a, b, REPOSITORY_FACTS[a.type]);
}

function agree(a: object, b: object, { places, argv }: TypeFacts): boolean {
  const read = (config: object, key: string): unknown => (config as Readonly<Record<string, unknown>>)[key];
  const isSame = (key: string): boolean =>
    argv.includes(key)
      ? JSON.stringify(read(a, key)) === JSON.stringify(read(b, key))
      : overlap(read(a, key), read(b, key));
  return places.length > 0 && places.every(isSame);
}

function overlap(a: unknown, b: unknown): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return a === b;
  return a.some((item) => b.includes(item));
}
