import { EXIT } from '../errors.ts';
import { observeReferences } from '../reconcile/observe-references.ts';
import { observeRepositories } from '../reconcile/observe-repositories.ts';
import { statusOf } from '../reconcile/status.ts';
import { reportWarnings } from '../report/run-events.ts';
import { formatStatus } from '../report/status-text.ts';
import type { CommandRun } from './command.ts';
import { withSession } from './open-session.ts';

/** How every backup stands against its schedule: exit 0 when all is well, 2 when not. */
export const statusCommand: CommandRun = async (_args, options, environment) =>
  withSession(options, environment, reportWarnings(environment.terminal), async (session) => {
    const references = await observeReferences(session);
    const observation = { ...(await observeRepositories(session)), references };
    const status = statusOf(session.policy, observation, session.context.clock.now());
    const { terminal } = environment;
    terminal.out(
      options.text('format') === 'json' ? `${JSON.stringify(status, null, 2)}\n` : formatStatus(status, terminal.paint),
    );
    return status.healthy ? EXIT.done : EXIT.pending;
  });
