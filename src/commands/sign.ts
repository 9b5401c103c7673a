import { EXIT, usageError, type ExitCode } from '../errors.ts';
import { findSnapshot } from '../reconcile/find-snapshot.ts';
import { observeRepositories } from '../reconcile/observe-repositories.ts';
import { signSnapshot, type SignedPlace } from '../reconcile/sign-snapshot.ts';
import type { CommandRun } from './command.ts';
import { withSession } from './open-session.ts';
import { workReporter } from './reporters.ts';

/** Adopts snapshots that lack a signature, in every repository that has them. */
export const signCommand: CommandRun = async (references, options, environment) =>
  withSession(options, environment, workReporter(options, environment), async (session) => {
    const { signing } = session.context;
    if (signing === undefined)
      throw usageError('cannot sign: the policy has no `signing`', {
        hint: '`bkp keygen signing FILE` makes a key pair for it',
      });
    const { publicKey } = signing.key();
    const observation = await observeRepositories(session);
    const found = references.map((reference) => findSnapshot(session, observation, reference));
    const places: SignedPlace[] = [];
    for (const one of found) places.push(...(await signSnapshot(session, one)));
    const { terminal } = environment;
    if (options.text('format') === 'json')
      terminal.out(`${JSON.stringify({ formatVersion: 1, publicKey, signed: places }, null, 2)}\n`);
    else
      for (const { snapshot, repository, outcome, message } of places)
        terminal.out(`${WORDS[outcome]} ${snapshot} in ${repository}${message === null ? '' : `: ${message}`}\n`);
    return exitCode(places);
  });

const WORDS: Readonly<Record<SignedPlace['outcome'], string>> = {
  signed: 'Signed',
  counted: 'Counts already:',
  refused: 'Did not sign',
};

function exitCode(places: readonly SignedPlace[]): ExitCode {
  const refused = places.filter(({ outcome }) => outcome === 'refused').length;
  if (refused === 0) return EXIT.done;
  return refused === places.length ? EXIT.failed : EXIT.partly;
}
