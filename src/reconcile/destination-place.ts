import type { Target } from '../generated/policy.ts';
import { TARGET_FACTS } from '../generated/schema-facts.ts';

/**
 * Where a target stands, for people: `/srv/app.db`, or `paths=/etc/app root=/mnt/restore` where several keys say it. As
 * written in the policy: a reference stays a reference.
 */
export function placeOf(config: Target): string {
  const values = new Map<string, unknown>(Object.entries(config));
  const { places, argv, secrets } = TARGET_FACTS[config.type];
  const pairs = places.flatMap((key) => {
    const value = values.get(key);
    if (secrets.includes(key) && !(typeof value === 'string' && isReference(value))) return [];
    if (typeof value === 'string' || typeof value === 'number') return [[key, String(value)] as const];
    return Array.isArray(value) ? [[key, value.join(argv.includes(key) ? ' ' : ',')] as const] : [];
  });
  return pairs.length === 1 ? (pairs[0]?.[1] ?? '') : pairs.map(([key, value]) => `${key}=${value}`).join(' ');
}

/** Nothing of a secret that was written out is shown. */
const isReference = (text: string): boolean => /^\$\{(?:env|file):[^}]*\}$/.test(text);
