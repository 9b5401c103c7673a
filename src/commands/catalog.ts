import { BkpError, EXIT, usageError, type ExitCode } from '../errors.ts';
import { formatBytes } from '../format-bytes.ts';
import { count } from '../reconcile/phrases.ts';
import { rebuildCatalog, type RebuiltCatalog } from '../reconcile/rebuild-catalog.ts';
import { reportWarnings } from '../report/run-events.ts';
import type { CommandRun } from './command.ts';
import { withRepositorySession } from './repository-session.ts';

/** `bkp catalog rebuild`: reads repositories anew, object by object. */
export const catalogCommand: CommandRun = async ([action = ''], options, environment) => {
  if (action !== 'rebuild') throw usageError(`cannot ${action} the catalog: there is only \`bkp catalog rebuild\``);
  const { terminal } = environment;
  return withRepositorySession(options, environment, reportWarnings(terminal), async (session): Promise<ExitCode> => {
    const rebuilt: RebuiltCatalog[] = [];
    const problems: BkpError[] = [];
    for (const opened of session.repositories) {
      try {
        rebuilt.push(await rebuildCatalog(session, opened));
      } catch (error) {
        if (!(error instanceof BkpError) || error.code === 'interrupted') throw error;
        problems.push(error);
      }
    }
    const [problem] = problems;
    if (problem !== undefined && rebuilt.length === 0) throw problem;
    for (const { message } of problems) terminal.err(`${terminal.paintErr('yellow', 'warning:')} ${message}\n`);
    if (options.text('format') === 'json') terminal.out(`${JSON.stringify({ formatVersion: 1, rebuilt }, null, 2)}\n`);
    else terminal.out(rebuilt.map((one) => `${sentence(one)}\n`).join(''));
    return problem === undefined ? EXIT.done : EXIT.partly;
  });
};

function sentence({ repository, snapshots, indexBytes }: RebuiltCatalog): string {
  const index = indexBytes === null ? '' : `, its index has ${formatBytes(indexBytes)}`;
  return `Rebuilt the catalog of ${repository}: ${count(snapshots, 'snapshot')}${index}.`;
}
