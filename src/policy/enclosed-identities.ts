import type { Diagnostic } from '../errors.ts';
import { diagnosePosition } from './diagnose.ts';
import type { ResolvedBackup, ResolvedPolicy, ResolvedTarget } from './resolved-policy.ts';
import { holds } from './rules/places.ts';

/**
 * Identities that the policy captures and stores nowhere but encrypted: after the loss of this machine nobody could open
 * what opens them. That a copy lies elsewhere is for people to know, hence a warning.
 */
export function enclosedIdentities(policy: ResolvedPolicy, files: readonly string[]): readonly Diagnostic[] {
  return files.flatMap((file) => {
    const captures = policy.backups.flatMap((backup) =>
      backup.targets.filter((target) => captured(target, file)).map((target) => ({ backup, target })),
    );
    const [first] = captures;
    if (first === undefined || !captures.every(({ backup }) => isAlwaysEncrypted(policy, backup))) return [];
    const message = `identity ${file} lies in target "${first.target.name}" and is stored encrypted only: it cannot open itself`;
    return [
      diagnosePosition(
        'BKP2072',
        first.target.source,
        message,
        'keep a copy of it where no backup is needed to read it',
      ),
    ];
  });
}

function captured({ config }: ResolvedTarget, file: string): boolean {
  if (config.type !== 'files') return false;
  return config.paths.some((folder) => folder === file || holds(folder, file, config.exclude ?? []));
}

const isAlwaysEncrypted = ({ repositories }: ResolvedPolicy, backup: ResolvedBackup): boolean =>
  backup.encryption !== undefined ||
  backup.repositories.every((name) => {
    const config = repositories.find((repository) => repository.name === name)?.config;
    return config !== undefined && 'encryption' in config && config.encryption !== undefined;
  });
