import type { Diagnostic } from '../../errors.ts';
import { diagnose } from '../diagnose.ts';
import { didYouMean } from '../did-you-mean.ts';
import { sourceOf, type Path } from '../locate.ts';
import type { PolicyDocument } from '../document.ts';
import { policyData, recordOf, type PolicySet, type Section } from '../policy-set.ts';

const SECTIONS: readonly Section[] = ['repositories', 'targets', 'backups', 'restores'];
const WORDS: Readonly<Record<Section, string>> = {
  repositories: 'repository',
  targets: 'target',
  backups: 'backup',
  restores: 'restore',
};

/** Names mean one thing each: unique over all files, known where they are used, not claimed by two. */
export function checkNames(set: PolicySet): readonly Diagnostic[] {
  return [...duplicates(set), ...formerNames(set), ...uses(set), ...missingRepositories(set)];
}

function duplicates(set: PolicySet): readonly Diagnostic[] {
  return SECTIONS.flatMap((section) => {
    const first = new Map<string, PolicyDocument>();
    return set.documents.flatMap((document) =>
      Object.keys(recordOf(recordOf(document.data)[section])).flatMap((name) => {
        const other = first.get(name);
        if (other === undefined) {
          first.set(name, document);
          return [];
        }
        const { file, line, column } = sourceOf(other, [section, name]);
        const message = `${WORDS[section]} "${name}" stands already at ${file}:${line}:${column}`;
        return [
          diagnose(
            'BKP2011',
            { document, path: [section, name], part: 'key' },
            message,
            'names are unique over all files of a policy',
          ),
        ];
      }),
    );
  });
}

interface Claim {
  readonly document: PolicyDocument;
  readonly path: Path;
  readonly owner: string;
  readonly name: string;
}

function formerNames(set: PolicySet): readonly Diagnostic[] {
  const claims = (
    entries: readonly { name: string; value: { formerly?: readonly string[] }; document: PolicyDocument; path: Path }[],
  ): readonly Claim[] =>
    entries.flatMap(({ name, value, document, path }) =>
      (value.formerly ?? []).map((former, index) => ({
        document,
        path: [...path, 'formerly', index],
        owner: name,
        name: former,
      })),
    );
  const root = policyData(set.main);
  const own = (Array.isArray(root.formerly) ? root.formerly : []) as readonly unknown[];
  const policyClaims = own.flatMap((former, index) =>
    typeof former === 'string'
      ? [{ document: set.main, path: ['formerly', index], owner: String(root.name), name: former }]
      : [],
  );
  return [
    ...conflicts('target', claims(set.targets), set.names.targets),
    ...conflicts('backup', claims(set.backups), set.names.backups),
    ...conflicts('policy', policyClaims, [String(root.name)]),
  ];
}

function conflicts(word: string, claims: readonly Claim[], names: readonly string[]): readonly Diagnostic[] {
  const claimedBy = new Map<string, string>();
  return claims.flatMap(({ document, path, owner, name }) => {
    const other = claimedBy.get(name);
    claimedBy.set(name, other ?? owner);
    const place = { document, path, part: 'value' } as const;
    if (names.includes(name))
      return [
        diagnose('BKP2012', place, `"${name}" is the name of a ${word} today`, 'a former name is no longer in use'),
      ];
    return other === undefined
      ? []
      : [diagnose('BKP2012', place, `former name "${name}" is claimed by ${word} "${other}" already`)];
  });
}

function uses(set: PolicySet): readonly Diagnostic[] {
  const inDefaults = set.documents.flatMap((document) =>
    listed(
      document,
      ['defaults', 'repositories'],
      recordOf(policyData(document).defaults)['repositories'],
      'repositories',
      set,
    ),
  );
  const inBackups = set.documents.flatMap((document) =>
    Object.entries(recordOf(policyData(document).backups)).flatMap(([name, backup]) => {
      const written = recordOf(backup);
      return [
        ...listed(document, ['backups', name, 'targets'], written['targets'], 'targets', set),
        ...listed(document, ['backups', name, 'repositories'], written['repositories'], 'repositories', set),
      ];
    }),
  );
  return [...inDefaults, ...inBackups];
}

function listed(
  document: PolicyDocument,
  path: Path,
  list: unknown,
  section: Section,
  set: PolicySet,
): readonly Diagnostic[] {
  if (!Array.isArray(list)) return [];
  return (list as readonly unknown[]).flatMap((name, index) =>
    typeof name === 'string' ? unknownName(document, [...path, index], 'value', name, section, set) : [],
  );
}

/** A name that stands for nothing, with the known ones. */
export function unknownName(
  document: PolicyDocument,
  path: Path,
  part: 'key' | 'value',
  name: string,
  section: Section,
  set: PolicySet,
): readonly Diagnostic[] {
  const known = set.names[section];
  if (known.includes(name)) return [];
  const hint = known.length === 0 ? `the policy has no ${section}` : `${section}: ${known.join(', ')}`;
  return [
    diagnose(
      'BKP2010',
      { document, path, part },
      `unknown ${WORDS[section]} "${name}"${didYouMean(name, known)}`,
      hint,
    ),
  ];
}

function missingRepositories(set: PolicySet): readonly Diagnostic[] {
  return set.backups
    .filter(({ value }) => value.repositories === undefined)
    .map((entry) => {
      const place = { document: entry.document, path: entry.path, part: 'key' } as const;
      const known = set.names.repositories;
      const hint =
        known.length === 0
          ? 'add one under `repositories`'
          : `add repositories: [${known.join(', ')}] here or under \`defaults\``;
      return diagnose('BKP2013', place, `backup "${entry.name}" has no repository`, hint);
    });
}
