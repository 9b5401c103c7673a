import { EXIT, usageError, type ExitCode } from '../errors.ts';
import type { Observation } from '../reconcile/observation.ts';
import type { Session } from '../reconcile/session.ts';
import { adoptUpload, findUpload, makeUploadUrl, type UrlOrder } from '../reconcile/upload-by-url.ts';
import type { CommandEnvironment } from './command.ts';
import { lockTimeout } from './durations.ts';
import type { OptionValues } from './option-values.ts';
import { readyRepositories, receiverOf, sayAdopted } from './upload.ts';
import { quoted, urlValidity } from './url-validity.ts';

/** Prints a command that uploads a dump without bkp and without credentials, and how it is adopted then. */
export async function printUploadUrl(
  session: Session,
  observation: Observation,
  { backup, target, file }: Pick<UrlOrder, 'backup' | 'target' | 'file'>,
  options: OptionValues,
  { terminal }: CommandEnvironment,
): Promise<ExitCode> {
  const validMs = urlValidity(options);
  const place = readyRepositories(session, observation, backup).find(
    (one) => one.repository.presignUpload !== undefined,
  );
  if (place === undefined)
    throw usageError(`cannot print a URL: no repository of ${backup.name} that can be used gives any`, {
      hint: 'S3 repositories do; upload to a folder from a machine that has it, with `bkp upload FILE`',
    });
  const order = {
    backup,
    target,
    file,
    validMs,
    takenAt: options.time('takenAt'),
    lockTimeoutMs: lockTimeout(options),
  };
  const { id, url, expiresAt, keptUntil, isOpenMeanwhile } = await makeUploadUrl(session, place.repository, order);
  const upload = `${backup.name}@${id}`;
  switch (options.text('format')) {
    case 'json':
      terminal.out(
        `${JSON.stringify({ formatVersion: 1, upload, repository: place.name, url, expiresAt, keptUntil }, null, 2)}\n`,
      );
      break;
    case 'plain':
      terminal.out(`${url}\n`);
      break;
    default:
      terminal.out(`curl --fail --upload-file ${quoted(file)} ${quoted(url)}\n`);
  }
  terminal.err(`valid until ${expiresAt}, for everybody who has the URL\n`);
  terminal.err(`then: bkp upload --adopt ${upload} (what is uploaded waits until ${keptUntil})\n`);
  if (isOpenMeanwhile)
    terminal.err(
      `${terminal.paintErr('yellow', 'warning:')} until it is adopted and removed, what is uploaded lies in ${place.name} unencrypted\n`,
    );
  return EXIT.done;
}

/** Takes what was uploaded by URL into a snapshot. */
export async function adoptUploaded(
  session: Session,
  observation: Observation,
  reference: string,
  options: OptionValues,
  environment: CommandEnvironment,
): Promise<ExitCode> {
  const clashing = ['backup', 'target'].find((name) => options.text(name) !== undefined);
  if (clashing !== undefined || options.flag('printUrl'))
    throw usageError(
      `cannot adopt ${reference} with --${clashing ?? 'print-url'}: what it is was said when its URL was made`,
    );
  const uploaded = await findUpload(session, observation, reference);
  const { backup, upload } = uploaded;
  const { name, repository } = receiverOf(session, observation, backup, `adopt ${reference}`);
  const { manifest, isRemoved } = await adoptUpload(session, uploaded, {
    into: repository,
    takenAt: options.time('takenAt'),
    lockTimeoutMs: lockTimeout(options),
  });
  if (!isRemoved)
    environment.terminal.err(
      `what was uploaded goes with an \`apply\` a day after its URL ends (${upload.expiresAt}): until then it may be written again\n`,
    );
  return sayAdopted(manifest, { backup, repository: name, what: reference }, options, environment);
}
