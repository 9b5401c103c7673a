import { loadPolicy } from '../policy/load.ts';
import { openSession } from '../reconcile/open-session.ts';
import { withStoreTime } from '../reconcile/store-time.ts';
import type { Session } from '../reconcile/session.ts';
import type { EventReporter } from '../report/run-events.ts';
import { openEdge } from '../system/edge.ts';
import { systemPolicyFiles } from '../system/policy-files.ts';
import type { CommandEnvironment } from './command.ts';
import type { OptionValues } from './option-values.ts';

/** The policy file that `-f` names, or `bkp.yaml`. */
export const policyPath = (options: OptionValues): string => options.list('file')[0] ?? 'bkp.yaml';

/** Loads the policy, opens its repositories, does the work, and leaves nothing behind. */
export async function withSession<T>(
  options: OptionValues,
  environment: CommandEnvironment,
  reporter: EventReporter,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const { policy } = await loadPolicy({
    path: policyPath(options),
    files: systemPolicyFiles(environment.terminal.readStdin),
  });
  const { edge, dispose } = await openEdge({
    signal: environment.signal,
    emit: reporter.emit,
    cacheDir: environment.cacheDir,
    identityFiles: options.list('identity'),
  });
  try {
    return await work(await withStoreTime(openSession(policy, edge)));
  } finally {
    reporter.close();
    await dispose();
  }
}
