import { EXIT, guardError, usageError, type ExitCode } from '../errors.ts';
import { didYouMean } from '../policy/did-you-mean.ts';
import { describeKeeping } from '../reconcile/online-checks.ts';
import { initialize } from '../reconcile/initialize.ts';
import { reportWarnings } from '../report/run-events.ts';
import { repositoryIdentity } from '../snapshots/identity.ts';
import type { CommandEnvironment } from './command.ts';
import { withSession } from './open-session.ts';
import type { OptionValues } from './option-values.ts';

/** `bkp init --repository NAME`: makes one repository of the policy. One that is there already is left as it is. */
export function initRepository(
  name: string,
  options: OptionValues,
  environment: CommandEnvironment,
): Promise<ExitCode> {
  return withSession(options, environment, reportWarnings(environment.terminal), async (session) => {
    const names = session.repositories.map((opened) => opened.name);
    const found = session.repositories.find((opened) => opened.name === name);
    if (found === undefined) {
      throw usageError(
        `cannot make repository "${name}": the policy has no such repository${didYouMean(name, names)}`,
        {
          hint: names.length === 0 ? 'add it to the policy first' : `repositories: ${names.join(', ')}`,
        },
      );
    }
    if (found.repository === null)
      throw guardError(`cannot make repository "${name}": ${found.problem}`, { hint: found.hint ?? undefined });
    const before = await repositoryIdentity(found.repository).catch(() => undefined);
    const identity = await initialize(session, found);
    const keeping = await found.repository.versions?.keeping();
    const keeps = keeping === undefined ? '' : `; ${describeKeeping(keeping)}`;
    const what = before === undefined ? 'made' : 'there already:';
    environment.terminal.out(`${what} repository ${name} (${found.repository.location}), id ${identity.id}${keeps}\n`);
    return EXIT.done;
  });
}
