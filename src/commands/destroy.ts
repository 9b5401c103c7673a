import { EXIT, usageError } from '../errors.ts';
import { destroyObstacle, destroySnapshot } from '../reconcile/destroy.ts';
import { findSnapshot } from '../reconcile/find-snapshot.ts';
import { observeRepositories } from '../reconcile/observe-repositories.ts';
import { formatBytes } from '../format-bytes.ts';
import type { CommandRun } from './command.ts';
import { confirmed } from './confirm.ts';
import { lockTimeout } from './durations.ts';
import { workReporter } from './reporters.ts';
import { withRepositorySession } from './repository-session.ts';

/** Removes a snapshot by hand: from all repositories, or from the one that `--repository` names. */
export const destroyCommand: CommandRun = async ([reference = ''], options, environment) =>
  withRepositorySession(options, environment, workReporter(options, environment), async (session, isAdHoc) => {
    if (isAdHoc) throw usageError('cannot destroy without a policy: it says which snapshots may go');
    const found = findSnapshot(session, await observeRepositories(session), reference);
    const name = `${found.backup.name}@${found.id}`;
    const again = options.text('force');
    if (again !== undefined && again !== name)
      throw usageError(`cannot destroy ${name}: --force says ${again}`, {
        hint: `give the full name: --force ${name}`,
      });
    const obstacle = destroyObstacle(found, again !== undefined);
    if (obstacle !== null) throw obstacle;
    const size = formatBytes(found.places[0]?.record.storedBytes ?? 0);
    if (
      !(await confirmed(
        `Destroy ${name} (${size}) in ${found.places.map((place) => place.name).join(', ')}?`,
        options,
        environment,
      ))
    )
      return EXIT.done;
    const repositories = await destroySnapshot(session, found, {
      force: again !== undefined,
      lockTimeoutMs: lockTimeout(options),
    });
    const { terminal } = environment;
    if (options.text('format') === 'json')
      terminal.out(`${JSON.stringify({ formatVersion: 1, type: 'result', destroyed: name, repositories })}\n`);
    else terminal.out(`Destroyed ${name} in ${repositories.join(', ')}.\n`);
    return EXIT.done;
  });
