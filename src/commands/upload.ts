import { EXIT, guardError, usageError } from '../errors.ts';
import { observeRepositories } from '../reconcile/observe-repositories.ts';
import { uploadSnapshot } from '../reconcile/upload.ts';
import { formatBytes } from '../format-bytes.ts';
import type { CommandRun } from './command.ts';
import { lockTimeout } from './durations.ts';
import { withSession } from './open-session.ts';
import { knownBackup } from './plan-options.ts';
import { workReporter } from './reporters.ts';

/** Adopts a dump made elsewhere into the first repository of a backup; `apply` copies it to the others. */
export const uploadCommand: CommandRun = async ([file = ''], options, environment) =>
  withSession(options, environment, workReporter(options, environment), async (session) => {
    const name = knownBackup(session.policy, options.text('backup') ?? only(session.policy.backups, '--backup'));
    const backup = session.policy.backups.find((one) => one.name === name);
    const targetName = options.text('target') ?? only(backup?.targets ?? [], '--target');
    const target = backup?.targets.find((one) => one.name === targetName);
    if (backup === undefined || target === undefined)
      throw usageError(
        `cannot upload to target ${targetName}: ${name} has ${backup?.targets.map((one) => one.name).join(', ') ?? 'none'}`,
      );
    const observation = await observeRepositories(session);
    const ready = backup.repositories.find((one) =>
      observation.repositories.some((repository) => repository.name === one && repository.state === 'ready'),
    );
    const repository = session.repositories.find((one) => one.name === ready)?.repository;
    if (repository === undefined || repository === null) {
      const [problem] = observation.repositories.filter((one) => one.state !== 'ready');
      throw guardError(`cannot upload ${file}: ${problem?.message ?? 'no repository can be written'}`, {
        hint: problem?.hint ?? undefined,
      });
    }
    const manifest = await uploadSnapshot(session, {
      backup,
      target,
      file,
      takenAt: options.time('takenAt'),
      repository,
      lockTimeoutMs: lockTimeout(options),
    });
    const stored = Object.values(manifest.targets)
      .flatMap(({ artifacts }) => artifacts)
      .reduce((sum, artifact) => sum + artifact.storedBytes, 0);
    const { terminal } = environment;
    if (options.text('format') === 'json')
      terminal.out(
        `${JSON.stringify({ formatVersion: 1, snapshot: `${name}@${manifest.id}`, repository: ready, storedBytes: stored }, null, 2)}\n`,
      );
    else terminal.out(`Adopted ${file} as ${name}@${manifest.id} in ${ready ?? ''} (stored ${formatBytes(stored)}).\n`);
    return EXIT.done;
  });

/** The only one there is; asks for a flag otherwise. */
function only(named: readonly { readonly name: string }[], flag: string): string {
  const [first, second] = named;
  if (first === undefined || second !== undefined)
    throw usageError(`cannot upload: ${flag} is needed`, {
      hint: `one of ${named.map(({ name }) => name).join(', ')}`,
    });
  return first.name;
}
