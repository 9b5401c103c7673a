import { repositoryError, usageError } from '../errors.ts';
import { loadPolicy } from '../policy/load.ts';
import { adHocPolicy } from '../reconcile/ad-hoc-policy.ts';
import { openSession } from '../reconcile/open-session.ts';
import type { Session } from '../reconcile/session.ts';
import type { EventReporter } from '../report/run-events.ts';
import { publicKeyProblem } from '../signing/ed25519-key.ts';
import { openEdge } from '../system/edge.ts';
import { systemPolicyFiles } from '../system/policy-files.ts';
import type { CommandEnvironment } from './command.ts';
import { policyPath, timedSession } from './open-session.ts';
import type { OptionValues } from './option-values.ts';

/**
 * A session for commands that also work when the policy is gone with its machine. `--repository NAME` narrows a policy to
 * one of its repositories; `--repository /path` makes up a policy from what is stored there.
 */
export async function withRepositorySession<T>(
  options: OptionValues,
  environment: CommandEnvironment,
  reporter: EventReporter,
  work: (session: Session, isAdHoc: boolean) => Promise<T>,
): Promise<T> {
  const wanted = options.text('repository');
  const isPath = wanted !== undefined && /[/.]/.test(wanted);
  const trustedKeys = trustedKeysOf(options, isPath);
  const { edge, dispose } = await openEdge({
    signal: environment.signal,
    emit: reporter.emit,
    cacheDir: environment.cacheDir,
    identityFiles: options.list('identity'),
  });
  try {
    if (isPath) return await work(openSession(await adHocPolicy(wanted, edge, trustedKeys), edge), true);
    const { policy } = await loadPolicy({
      path: policyPath(options),
      files: systemPolicyFiles(environment.terminal.readStdin),
    });
    const session = await timedSession(policy, edge);
    return await work(wanted === undefined ? session : narrow(session, wanted), false);
  } finally {
    reporter.close();
    await dispose();
  }
}

function trustedKeysOf(options: OptionValues, isPath: boolean): readonly string[] {
  const keys = options.list('trustedKey');
  if (keys.length > 0 && !isPath)
    throw usageError(
      'cannot use --trusted-key with a policy: `signing.publicKeys` of the policy says whose signatures count',
    );
  for (const key of keys) {
    const problem = publicKeyProblem(key);
    if (problem !== undefined) throw usageError(`cannot use --trusted-key: ${problem}`);
  }
  return keys;
}

/** The session with one repository only, which must be there. */
function narrow(session: Session, name: string): Session {
  const repositories = session.repositories.filter((opened) => opened.name === name);
  const [only] = repositories;
  if (only === undefined)
    throw usageError(
      `cannot find repository ${name}: the policy has ${session.repositories.map((opened) => opened.name).join(', ')}`,
      { hint: 'without a policy, give its path' },
    );
  if (only.repository === null) throw repositoryError(only.problem, { hint: only.hint ?? undefined });
  const backups = session.policy.backups.map((backup) => ({
    ...backup,
    repositories: backup.repositories.filter((one) => one === name),
  }));
  return { ...session, policy: { ...session.policy, backups }, repositories };
}
