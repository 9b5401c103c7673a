import { EXIT, usageError, type ExitCode } from '../errors.ts';
import type { SnapshotPlace } from '../reconcile/find-snapshot.ts';
import type { Session } from '../reconcile/session.ts';
import { snapshotFolder } from '../snapshots/keys.ts';
import type { ManifestArtifact } from '../snapshots/manifest.ts';
import type { CommandEnvironment } from './command.ts';
import type { OptionValues } from './option-values.ts';
import { quoted, urlValidity } from './url-validity.ts';

/** Prints a command for every artifact that fetches its stored bytes without bkp and without credentials. */
export async function printUrls(
  session: Session,
  {
    places,
    id,
    artifacts,
  }: {
    readonly places: readonly SnapshotPlace[];
    readonly id: string;
    readonly artifacts: readonly ManifestArtifact[];
  },
  options: OptionValues,
  { terminal }: CommandEnvironment,
): Promise<ExitCode> {
  if (options.flag('native'))
    throw usageError('cannot print a URL of what the native tool reads: a URL gives the stored bytes');
  const listing = artifacts.find(({ folder }) => folder !== undefined);
  if (listing !== undefined)
    throw usageError(`cannot print a URL of ${listing.key}: it lists files that are stored each by itself`, {
      hint: 'name the other targets with --target; `bkp download` fetches all',
    });
  const validMs = urlValidity(options);
  const place = places.find(({ repository }) => repository.presign !== undefined);
  const presign = place?.repository.presign;
  if (place === undefined || presign === undefined)
    throw usageError('cannot print a URL: no repository with the snapshot gives any', {
      hint: 'S3 repositories do; of a folder, `bkp show` prints the path',
    });
  const from = session.context.clock.now();
  const validity = { from, seconds: Math.floor(validMs / 1000) };
  const expiresAt = new Date(from.getTime() + validMs).toISOString();
  const folder = snapshotFolder(place.record.backup, id);
  const urls: { readonly key: string; readonly url: string }[] = [];
  for (const { key } of artifacts) urls.push({ key, url: await presign(folder + key, validity) });
  switch (options.text('format')) {
    case 'json':
      terminal.out(`${JSON.stringify({ formatVersion: 1, expiresAt, urls }, null, 2)}\n`);
      break;
    case 'plain':
      terminal.out(urls.map(({ url }) => `${url}\n`).join(''));
      break;
    default:
      for (const { key, url } of urls)
        terminal.out(`curl --fail --output ${quoted(key.replaceAll('/', '-'))} ${quoted(url)}\n`);
      terminal.err(`valid until ${expiresAt}, for everybody who has the URL\n`);
  }
  return EXIT.done;
}
