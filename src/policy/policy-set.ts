import type { Backup, Defaults, Policy, RepositoryConfig, Restore, Target } from '../generated/policy.ts';
import type { PolicyDocument } from './document.ts';
import type { Path } from './locate.ts';

export type Section = 'repositories' | 'targets' | 'backups' | 'restores';

/** A named thing of the policy and where it stands. */
export interface Entry<T> {
  readonly name: string;
  readonly value: T;
  readonly document: PolicyDocument;
  readonly path: readonly [Section, string];
}

/** What a backup says, with the defaults of its file laid under it. */
export type BackupSettings = Defaults & Backup;

/** All files of a policy as one: only entries that passed the schema, for the rules and for resolving. */
export interface PolicySet {
  readonly main: PolicyDocument;
  readonly documents: readonly PolicyDocument[];
  readonly repositories: readonly Entry<RepositoryConfig>[];
  readonly targets: readonly Entry<Target>[];
  readonly backups: readonly Entry<BackupSettings>[];
  readonly restores: readonly Entry<Restore>[];
  /** True when every file fits the schema, so that what is missing is really missing. */
  readonly complete: boolean;
  /** Every name written in the files, also of entries that did not pass. */
  readonly names: Readonly<Record<Section, readonly string[]>>;
}

/** A file that was parsed, and the paths at which its data does not fit the schema. */
export interface CheckedDocument {
  readonly document: PolicyDocument;
  readonly misfits: readonly Path[];
}

/** Joins the files. Parts that do not fit the schema are left out, so that no rule meets them. */
export function joinDocuments(main: CheckedDocument, included: readonly CheckedDocument[]): PolicySet {
  const all = [main, ...included];
  const section = <T>(name: Section): readonly Entry<T>[] => all.flatMap((checked) => entriesOf<T>(checked, name));
  const names = (name: Section): readonly string[] =>
    all.flatMap(({ document }) => Object.keys(recordOf(recordOf(document.data)[name])));
  return {
    main: main.document,
    documents: all.map(({ document }) => document),
    repositories: section('repositories'),
    targets: section('targets'),
    backups: all.flatMap((checked) => {
      const defaults = soundDefaults(checked);
      return entriesOf<Backup>(checked, 'backups').map((entry) => ({
        ...entry,
        value: { ...defaults, ...entry.value },
      }));
    }),
    restores: section('restores'),
    complete: all.every(({ misfits }) => misfits.length === 0),
    names: {
      repositories: names('repositories'),
      targets: names('targets'),
      backups: names('backups'),
      restores: names('restores'),
    },
  };
}

/** The values a file sets for its own entries, without those that do not fit. */
function soundDefaults({ document, misfits }: CheckedDocument): Defaults {
  const defaults = recordOf(recordOf(document.data)['defaults']);
  const bad = misfits.filter((path) => path[0] === 'defaults');
  return Object.fromEntries(Object.entries(defaults).filter(([key]) => !bad.some((path) => path[1] === key)));
}

/** Where a setting of a backup is written: in the backup, else in the defaults of its file. */
export function settingPath(entry: Entry<BackupSettings>, key: string): Path {
  const own = recordOf(recordOf(recordOf(entry.document.data)['backups'])[entry.name]);
  return key in own ? [...entry.path, key] : ['defaults', key];
}

/** The same file's data as the schema's type, where it is a map at all. */
export const policyData = (document: PolicyDocument): Partial<Policy> => recordOf(document.data) as Partial<Policy>;

export function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function entriesOf<T>({ document, misfits }: CheckedDocument, section: Section): readonly Entry<T>[] {
  return Object.entries(recordOf(recordOf(document.data)[section]))
    .filter(([name]) => !misfits.some((path) => path[0] === section && path[1] === name))
    .map(([name, value]) => ({ name, value: value as T, document, path: [section, name] as const }));
}
