import { EXIT, usageError } from '../errors.ts';
import { findForReading } from '../reconcile/find-stored.ts';
import { observeRepositories } from '../reconcile/observe-repositories.ts';
import { openManifest } from '../reconcile/open-manifest.ts';
import { requireManifest } from '../reconcile/require-manifest.ts';
import { isSealed } from '../reconcile/seal-manifest.ts';
import type { Session } from '../reconcile/session.ts';
import { formatSnapshotDiff, snapshotDiff, withoutFacts } from '../report/snapshot-diff.ts';
import { reportWarnings } from '../report/run-events.ts';
import type { Manifest } from '../snapshots/manifest.ts';
import type { CommandRun } from './command.ts';
import { withRepositorySession } from './repository-session.ts';

/** Compares facts and sizes of two snapshots, table by table. Exit 0 whether they differ or not. */
export const diffCommand: CommandRun = async ([a = '', b = ''], options, environment) =>
  withRepositorySession(options, environment, reportWarnings(environment.terminal), async (session) => {
    const observation = await observeRepositories(session);
    const [before, after] = [await manifestOf(session, observation, a), await manifestOf(session, observation, b)];
    const isHidden = isSealed(before) || isSealed(after);
    if (isHidden) environment.terminal.err('warning: facts are encrypted; --identity FILE compares them too\n');
    const rows = isHidden ? withoutFacts(snapshotDiff(before, after)) : snapshotDiff(before, after);
    const { terminal } = environment;
    if (options.text('format') === 'json')
      terminal.out(
        `${JSON.stringify({ formatVersion: 1, before: before.id, after: after.id, changes: rows }, null, 2)}\n`,
      );
    else terminal.out(formatSnapshotDiff(before, after, rows, terminal.paint));
    return EXIT.done;
  });

async function manifestOf(
  session: Session,
  observation: Awaited<ReturnType<typeof observeRepositories>>,
  reference: string,
): Promise<Manifest> {
  const found = await findForReading(session, observation, reference);
  const [place] = found.places;
  if (place === undefined) throw usageError(`cannot compare ${reference}: no repository has it`);
  if (session.context.identities === undefined) return requireManifest(place.repository, place.record);
  return (await openManifest(session, found)).manifest;
}
