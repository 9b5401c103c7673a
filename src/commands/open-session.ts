import { loadPolicy } from '../policy/load.ts';
import type { ResolvedPolicy } from '../policy/resolved-policy.ts';
import { openSession } from '../reconcile/open-session.ts';
import { withStoreTime } from '../reconcile/store-time.ts';
import type { Edge, Session } from '../reconcile/session.ts';
import type { EventReporter } from '../report/run-events.ts';
import { openEdge } from '../system/edge.ts';
import { systemPolicyFiles } from '../system/policy-files.ts';
import { keepYoungSpaceSmall } from '../system/young-space.ts';
import type { CommandEnvironment } from './command.ts';
import type { OptionValues } from './option-values.ts';

/** The policy file that `-f` names, or `bkp.yaml`. */
export const policyPath = (options: OptionValues): string => options.list('file')[0] ?? 'bkp.yaml';

/** A session by the time of its store. Waiting for a store takes longer than collecting at once what its answers leave. */
export async function timedSession(policy: ResolvedPolicy, edge: Edge): Promise<Session> {
  const session = openSession(policy, edge);
  if (session.repositories.some(({ repository }) => repository?.listVersions !== undefined)) keepYoungSpaceSmall();
  return withStoreTime(session);
}

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
    return await work(await timedSession(policy, edge));
  } finally {
    reporter.close();
    await dispose();
  }
}
