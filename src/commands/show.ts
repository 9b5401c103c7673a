import { EXIT, usageError } from '../errors.ts';
import { findForReading } from '../reconcile/find-stored.ts';
import { observeRepositories } from '../reconcile/observe-repositories.ts';
import { openManifest } from '../reconcile/open-manifest.ts';
import { requireManifest } from '../reconcile/require-manifest.ts';
import { readPlan } from '../reconcile/saved-plan.ts';
import { standingsOf } from '../reconcile/snapshot-standing.ts';
import { reportWarnings } from '../report/run-events.ts';
import { formatSnapshot } from '../report/snapshot-text.ts';
import { isFile, readTextFile } from '../system/read-file.ts';
import type { CommandRun } from './command.ts';
import { planExitCode, printPlan } from './plan-output.ts';
import { withRepositorySession } from './repository-session.ts';

/** Shows a saved plan (an existing file) or a snapshot. */
export const showCommand: CommandRun = async ([subject = ''], options, environment) => {
  const { terminal } = environment;
  if (!subject.includes('@') && (await isFile(subject))) {
    const made = readPlan(await readTextFile(subject), subject);
    printPlan(made, options.text('format') ?? 'text', environment);
    return planExitCode(made, options.flag('detailedExitcode'));
  }
  if (subject.endsWith('.json') || subject.includes('/'))
    throw usageError(`cannot show plan ${subject}: there is no such file`);
  if (options.text('format') === 'markdown')
    throw usageError('cannot show a snapshot as markdown: only plans have that form');
  return withRepositorySession(options, environment, reportWarnings(terminal), async (session) => {
    const found = await findForReading(session, await observeRepositories(session), subject);
    const [place] = found.places;
    if (place === undefined) throw usageError(`cannot show ${subject}: no repository has it`);
    const manifest =
      session.context.identities === undefined
        ? await requireManifest(place.repository, place.record)
        : (await openManifest(session, found)).manifest;
    if (options.flag('policy')) terminal.out(policyText(manifest.policyFiles));
    else if (options.text('format') === 'json')
      terminal.out(
        `${JSON.stringify({ formatVersion: 1, repositories: found.places.map(({ name }) => name), marks: place.record.marks, manifest }, null, 2)}\n`,
      );
    else terminal.out(formatSnapshot(manifest, standingsOf(found), terminal.paint));
    return EXIT.done;
  });
};

/** One file as it is; several one after the other, each under its name. */
function policyText(files: Readonly<Record<string, string>>): string {
  const entries = Object.entries(files);
  if (entries.length === 1) return entries[0]?.[1] ?? '';
  return entries.map(([name, text]) => `# ---- ${name}\n${text}`).join('\n');
}
