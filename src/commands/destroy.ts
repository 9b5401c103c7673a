import { EXIT, usageError } from '../errors.ts';
import { destroyObstacle, destroySnapshot } from '../reconcile/destroy.ts';
import { findStored } from '../reconcile/find-stored.ts';
import { observeRepositories } from '../reconcile/observe-repositories.ts';
import { shareCatalogs } from '../reconcile/share-catalogs.ts';
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
    const lockTimeoutMs = lockTimeout(options);
    const found = await findStored(session, await observeRepositories(session), reference);
    const name = `${found.backup.name}@${found.id}`;
    const again = options.text('force');
    if (again !== undefined && again !== name)
      throw usageError(`cannot destroy ${name}: --force says ${again}`, {
        hint: `give the full name: --force ${name}`,
      });
    const obstacle = destroyObstacle(found, session.context, again !== undefined);
    if (obstacle !== null) throw obstacle;
    const size = formatBytes(found.places[0]?.record.storedBytes ?? 0);
    const where = found.places.map((place) => place.name).join(', ');
    if (!(await confirmed(`Destroy ${name} (${size}) in ${where}?`, options, environment))) return EXIT.done;
    const repositories = await destroySnapshot(session, found, {
      force: again !== undefined,
      lockTimeoutMs,
    });
    await shareCatalogs(session);
    const { terminal } = environment;
    const missed = found.view.repositories.filter(({ state }) => state !== 'ready').map((one) => one.name);
    for (const one of missed)
      terminal.err(
        `${terminal.paintErr('yellow', 'warning:')} ${one} cannot be reached: what it holds of ${name} is still there\n`,
      );
    if (options.text('format') === 'json')
      terminal.out(`${JSON.stringify({ formatVersion: 1, destroyed: name, repositories, missed }, null, 2)}\n`);
    else terminal.out(`Destroyed ${name} in ${repositories.join(', ')}.\n`);
    return missed.length > 0 ? EXIT.partly : EXIT.done;
  });
