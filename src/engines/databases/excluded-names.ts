import { targetError } from '../../errors.ts';

/** Names that the patterns of `excludeDatabases` leave out. Throws `target` for a pattern that matches none. */
export function excludedNames(patterns: readonly string[], known: readonly string[]): ReadonlySet<string> {
  const excluded = new Set<string>();
  for (const pattern of patterns) {
    const text = pattern.replaceAll(/[\\^$.+?()[\]{}|]/g, String.raw`\$&`).replaceAll('*', '.*');
    const matched = known.filter((name) => new RegExp(`^${text}$`, 's').test(name));
    if (matched.length === 0)
      throw targetError(`cannot capture all databases: \`excludeDatabases\` names "${pattern}", which matches none`, {
        hint: `the server has ${known.join(', ')}`,
      });
    for (const name of matched) excluded.add(name);
  }
  return excluded;
}
