import { EXIT, guardError, usageError, type ExitCode } from '../errors.ts';
import type { ResolvedBackup, ResolvedTarget } from '../policy/resolved-policy.ts';
import type { Observation } from '../reconcile/observation.ts';
import { observeRepositories } from '../reconcile/observe-repositories.ts';
import type { Session } from '../reconcile/session.ts';
import { uploadSnapshot } from '../reconcile/upload.ts';
import type { Repository } from '../repositories/repository.ts';
import { formatBytes } from '../format-bytes.ts';
import type { Manifest } from '../snapshots/manifest.ts';
import type { CommandEnvironment, CommandRun } from './command.ts';
import { lockTimeout } from './durations.ts';
import { withSession } from './open-session.ts';
import type { OptionValues } from './option-values.ts';
import { knownBackup } from './plan-options.ts';
import { workReporter } from './reporters.ts';

/**
 * Adopts a dump made elsewhere into the first repository of a backup, from a file or from where it was uploaded by URL;
 * `apply` copies it to the others. Or prints such a URL.
 */
export const uploadCommand: CommandRun = async ([file = ''], options, environment) =>
  withSession(options, environment, workReporter(options, environment), async (session) => {
    const adopt = options.text('adopt');
    if ((file === '') === (adopt === undefined))
      throw usageError('cannot upload: name a file, or what was uploaded by URL with --adopt');
    const observation = await observeRepositories(session);
    if (adopt !== undefined)
      return (await import('./upload-urls.ts')).adoptUploaded(session, observation, adopt, options, environment);
    const { backup, target } = chosenTarget(session, options);
    if (options.flag('printUrl')) {
      const order = { backup, target, file };
      return (await import('./upload-urls.ts')).printUploadUrl(session, observation, order, options, environment);
    }
    const { name, repository } = receiverOf(session, observation, backup, `upload ${file}`);
    const manifest = await uploadSnapshot(session, {
      backup,
      target,
      file,
      takenAt: options.time('takenAt'),
      repository,
      lockTimeoutMs: lockTimeout(options),
    });
    return sayAdopted(manifest, { backup, repository: name, what: file }, options, environment);
  });

function chosenTarget(
  session: Session,
  options: OptionValues,
): { readonly backup: ResolvedBackup; readonly target: ResolvedTarget } {
  const name = knownBackup(session.policy, options.text('backup') ?? only(session.policy.backups, '--backup'));
  const backup = session.policy.backups.find((one) => one.name === name);
  const targetName = options.text('target') ?? only(backup?.targets ?? [], '--target');
  const target = backup?.targets.find((one) => one.name === targetName);
  if (backup === undefined || target === undefined)
    throw usageError(
      `cannot upload to target ${targetName}: ${name} has ${backup?.targets.map((one) => one.name).join(', ') ?? 'none'}`,
    );
  return { backup, target };
}

interface OpenRepository {
  readonly name: string;
  readonly repository: Repository;
}

/** The first repository of a backup that can be written, of those that fit. */
export function receiverOf(
  session: Session,
  observation: Observation,
  backup: ResolvedBackup,
  subject: string,
): OpenRepository {
  const [ready] = readyRepositories(session, observation, backup);
  if (ready !== undefined) return ready;
  const [problem] = observation.repositories.filter((one) => one.state !== 'ready');
  throw guardError(`cannot ${subject}: ${problem?.message ?? 'no repository can be written'}`, {
    hint: problem?.hint ?? undefined,
  });
}

/** The repositories of a backup that can be used, in policy order. */
export const readyRepositories = (
  session: Session,
  observation: Observation,
  backup: ResolvedBackup,
): readonly OpenRepository[] =>
  backup.repositories.flatMap((name) => {
    const isReady = observation.repositories.some((one) => one.name === name && one.state === 'ready');
    const opened = session.repositories.find((one) => one.name === name);
    return isReady && opened !== undefined && opened.repository !== null
      ? [{ name, repository: opened.repository }]
      : [];
  });

/** Says what became of a dump. */
export function sayAdopted(
  manifest: Manifest,
  { backup, repository, what }: { readonly backup: ResolvedBackup; readonly repository: string; readonly what: string },
  options: OptionValues,
  { terminal }: CommandEnvironment,
): ExitCode {
  const snapshot = `${backup.name}@${manifest.id}`;
  const storedBytes = Object.values(manifest.targets)
    .flatMap(({ artifacts }) => artifacts)
    .reduce((sum, artifact) => sum + artifact.storedBytes, 0);
  terminal.out(
    options.text('format') === 'json'
      ? `${JSON.stringify({ formatVersion: 1, snapshot, repository, storedBytes }, null, 2)}\n`
      : `Adopted ${what} as ${snapshot} in ${repository} (stored ${formatBytes(storedBytes)}).\n`,
  );
  return EXIT.done;
}

/** The only one there is; asks for a flag otherwise. */
function only(named: readonly { readonly name: string }[], flag: string): string {
  const [first, second] = named;
  if (first === undefined || second !== undefined)
    throw usageError(`cannot upload: ${flag} is needed`, {
      hint: `one of ${named.map(({ name }) => name).join(', ')}`,
    });
  return first.name;
}
