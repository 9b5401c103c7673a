import { isAbsolute, relative, sep } from 'node:path';
import type { Diagnostic } from '../../errors.ts';
import type { RepositoryConfig, Target } from '../../generated/policy.ts';
import { REPOSITORY_FACTS, TARGET_FACTS } from '../../generated/schema-facts.ts';
import { absolutePaths } from '../absolute-paths.ts';
import { diagnose } from '../diagnose.ts';
import { sourceOf } from '../locate.ts';
import { isSameRepository } from '../places.ts';
import { recordOf, type PolicySet } from '../policy-set.ts';
import { holdsReference } from '../reference-syntax.ts';

/** Two repositories are two places, and none lies inside what is captured. */
export function checkPlaces(set: PolicySet): readonly Diagnostic[] {
  const repositories = set.repositories.map((entry) => ({
    ...entry,
    config: absolutePaths('repository', entry.value, entry.document.directory),
  }));
  const twins = repositories.flatMap(({ name, config, document, path }, index) => {
    const other = repositories.slice(0, index).find((earlier) => isSameRepository(earlier.config, config));
    if (other === undefined) return [];
    const { file, line } = sourceOf(other.document, other.path);
    const message = `repository "${name}" is the same place as "${other.name}" (${file}:${line})`;
    return [
      diagnose('BKP2045', { document, path, part: 'key' }, message, 'two names for one place are one copy, not two'),
    ];
  });
  const nested = set.targets.flatMap((entry) => {
    const config = recordOf(absolutePaths('target', entry.value, entry.document.directory));
    const folders = TARGET_FACTS[entry.value.type].paths.flatMap((key) => texts(config[key]));
    return repositories.flatMap((repository) => {
      const paths = REPOSITORY_FACTS[repository.value.type].paths.flatMap((key) =>
        texts(recordOf(repository.config)[key]),
      );
      const isInFolder = paths.some((path) => folders.some((folder) => holds(folder, path, texts(config['exclude']))));
      if (!isInFolder && !holdsBucket(entry.value, repository.value)) return [];
      const message = `target "${entry.name}" holds repository "${repository.name}": every backup would contain the ones before`;
      return [
        diagnose(
          'BKP2046',
          { document: entry.document, path: entry.path, part: 'key' },
          message,
          isInFolder ? 'exclude the folder of the repository' : 'give the repository a bucket of its own',
        ),
      ];
    });
  });
  return [...twins, ...nested];
}

/** True when a repository lies in the part of a bucket that is captured. */
function holdsBucket(target: Target, repository: RepositoryConfig): boolean {
  if (target.type !== 's3' || repository.type !== 's3') return false;
  const isSameBucket = target.bucket === repository.bucket && target.endpoint === repository.endpoint;
  const inside = ({ prefix = '' }: { readonly prefix?: string }): string => `${prefix.replaceAll(/^\/+|\/+$/g, '')}/`;
  return isSameBucket && (inside(target) === '/' || inside(repository).startsWith(inside(target)));
}

function texts(value: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.filter((item): item is string => typeof item === 'string' && !holdsReference(item));
}

/** True when an absolute path lies in the folder and no exclude names it or a folder above it. */
export function holds(folder: string, path: string, excludes: readonly string[]): boolean {
  const below = relative(folder, path).split(sep).join('/');
  if (below.startsWith('..') || isAbsolute(below)) return false;
  return !excludes.some((pattern) => {
    const core = pattern.replace(/^\*\*\//, '').replace(/\/\*{1,2}$/, '');
    return `${below}/`.startsWith(`${core}/`) || `/${below}`.endsWith(`/${core}`);
  });
}
