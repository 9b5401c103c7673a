import { createHash } from 'node:crypto';
import type { ResolvedBackup, ResolvedTarget } from '../policy/resolved-policy.ts';
import { canonicalJson } from '../snapshots/canonical-json.ts';

export type Definitions = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** What a backup captures, by target name: the `x-defines` keys as written in the policy. */
export function definitionsOf(backup: Pick<ResolvedBackup, 'targets'>): Definitions {
  return Object.fromEntries(backup.targets.map((target) => [target.name, target.definition]));
}

/** SHA-256 over the canonical JSON of the definitions: changes exactly when something else is captured. */
export function definitionDigest(definitions: Definitions): string {
  return createHash('sha256').update(canonicalJson(definitions)).digest('hex');
}

/**
 * The digests that mean "the same definition" for a backup: the current one first, then those under earlier names of
 * its targets (`formerly`), so that a renamed target keeps its history.
 */
export function acceptedDigests(backup: Pick<ResolvedBackup, 'targets'>): readonly string[] {
  const digests = namings(backup.targets).map((names) =>
    definitionDigest(
      Object.fromEntries(backup.targets.map((target, i) => [names[i] ?? target.name, target.definition])),
    ),
  );
  return [...new Set(digests)];
}

/** All choices of one name per target; at most 256, which no real chain of renames reaches. */
function namings(targets: readonly ResolvedTarget[]): readonly (readonly string[])[] {
  let choices: readonly (readonly string[])[] = [[]];
  for (const target of targets) {
    choices = choices
      .flatMap((names) => [target.name, ...target.formerly].map((name) => [...names, name]))
      .slice(0, 256);
  }
  return choices;
}
