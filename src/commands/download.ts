import { join } from 'node:path';
import { EXIT, notFoundError, usageError } from '../errors.ts';
import { downloadArtifact, downloadFiles } from '../reconcile/download.ts';
import { findForReading } from '../reconcile/find-stored.ts';
import { observeRepositories } from '../reconcile/observe-repositories.ts';
import { openManifest } from '../reconcile/open-manifest.ts';
import { requireManifest, unsignedNow } from '../reconcile/require-manifest.ts';
import { formatBytes } from '../format-bytes.ts';
import { formatTable } from '../report/table.ts';
import type { CommandRun } from './command.ts';
import { workReporter } from './reporters.ts';
import { withRepositorySession } from './repository-session.ts';

/** Copies artifacts out of a repository, as stored or as the native tool reads them; or tells where others may fetch them. */
export const downloadCommand: CommandRun = async ([reference = '', folder = ''], options, environment) =>
  withRepositorySession(options, environment, workReporter(options, environment), async (session) => {
    const found = await findForReading(session, await observeRepositories(session), reference);
    const [first] = found.places;
    if (first === undefined) throw notFoundError(`cannot download ${reference}: no repository has it`);
    const { place, manifest } = options.flag('native')
      ? await openManifest(session, found)
      : { place: first, manifest: await requireManifest(first.repository, first.record) };
    const unsigned = await unsignedNow(place.repository, place.record, session.context);
    if (unsigned !== null)
      session.context.emit({ type: 'warning', message: `${reference} does not count: ${unsigned}` });
    const chosen = options.list('target');
    const unknown = chosen.find((name) => manifest.targets[name] === undefined);
    if (unknown !== undefined)
      throw usageError(`cannot download ${unknown}: the snapshot has ${Object.keys(manifest.targets).join(', ')}`);
    const artifacts = Object.entries(manifest.targets).flatMap(([name, target]) =>
      chosen.length === 0 || chosen.includes(name) ? target.artifacts : [],
    );
    if (artifacts.length === 0)
      throw notFoundError(`cannot download ${reference}: it holds no artifact of ${chosen.join(', ')}`);
    if (options.flag('printUrl'))
      return (await import('./print-urls.ts')).printUrls(
        session,
        { places: found.places, id: manifest.id, artifacts },
        options,
        environment,
      );
    if (folder === '')
      throw usageError('cannot download: name the folder', { hint: `bkp download ${reference} ./out` });
    const written: { readonly path: string; readonly bytes: number }[] = [];
    for (const artifact of artifacts) {
      const [native, force] = [options.flag('native'), options.flag('force')];
      const input = { place, id: manifest.id, artifact, folder, native, force };
      written.push(await downloadArtifact(session, input));
      const files = await downloadFiles(session, input);
      if (files !== null) written.push(files);
    }
    const { terminal } = environment;
    if (options.text('format') === 'json')
      terminal.out(`${JSON.stringify({ formatVersion: 1, files: written }, null, 2)}\n`);
    else
      terminal.out(
        formatTable(
          written.map(({ path, bytes }) => [join(path), formatBytes(bytes)]),
          [1],
        ),
      );
    return EXIT.done;
  });
