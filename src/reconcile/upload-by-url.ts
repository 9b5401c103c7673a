import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { notFoundError, reasonOf, targetError, throwIfAborted, usageError } from '../errors.ts';
import type { ResolvedBackup, ResolvedTarget } from '../policy/resolved-policy.ts';
import type { Repository } from '../repositories/repository.ts';
import { keptUntil, type UploadPlace } from '../snapshots/begin.ts';
import { snapshotFolder } from '../snapshots/keys.ts';
import type { Manifest } from '../snapshots/manifest.ts';
import { cleanRemains, readBegin } from '../snapshots/remove-remains.ts';
import { makeUploadPlace } from '../snapshots/upload-place.ts';
import { ownNames } from './backup-view.ts';
import { encryptionFor } from './encryption-of.ts';
import type { Observation } from './observation.ts';
import type { Session } from './session.ts';
import { takeLease } from './take-lease.ts';
import { uploadSnapshot } from './upload.ts';

export interface UrlOrder {
  readonly backup: ResolvedBackup;
  readonly target: ResolvedTarget;
  /** What the dump is called where it is; only its extension matters. */
  readonly file: string;
  readonly takenAt: Date | undefined;
  readonly validMs: number;
  readonly lockTimeoutMs: number;
}

/** Where somebody without credentials may upload a dump to, once made. */
export interface UploadUrl {
  readonly id: string;
  readonly url: string;
  readonly expiresAt: string;
  readonly keptUntil: string;
  /** What is adopted will be encrypted; what is uploaded is not. */
  readonly isOpenMeanwhile: boolean;
}

/** Makes a place in a repository for one dump, which nothing counts as a snapshot, and signs a URL that writes it. */
export async function makeUploadUrl(session: Session, repository: Repository, order: UrlOrder): Promise<UploadUrl> {
  const { context, policy } = session;
  const { backup, target, takenAt, validMs } = order;
  const { presignUpload } = repository;
  if (presignUpload === undefined) throw usageError(`cannot print a URL: ${repository.location} gives none`);
  const isOpenMeanwhile = encryptionFor(session, backup, repository) !== null;
  const id = session.newId(context.clock.now());
  const extension = extname(order.file).slice(1).toLowerCase();
  const key = `upload/${target.name}.${/^[a-z0-9]{1,16}$/.test(extension) ? extension : 'dump'}`;
  const request = { backup: backup.name, purpose: 'upload', run: id, waitMs: order.lockTimeoutMs };
  const lease = await takeLease(session, repository, request);
  try {
    const from = context.clock.now();
    const upload: UploadPlace = {
      target: target.name,
      takenAt: takenAt?.toISOString() ?? null,
      expiresAt: new Date(from.getTime() + validMs).toISOString(),
    };
    const place = { backup: backup.name, id, policy: policy.name, key, upload };
    const repositoryKey = await makeUploadPlace(repository, place, lease, context);
    return {
      id,
      url: await presignUpload(repositoryKey, { from, seconds: Math.floor(validMs / 1000) }),
      expiresAt: upload.expiresAt,
      keptUntil: keptUntil(upload),
      isOpenMeanwhile,
    };
  } finally {
    await lease.release().catch(() => undefined);
  }
}

/** A dump that was uploaded by URL, and whose it is. */
export interface Uploaded {
  readonly repository: Repository;
  readonly backup: ResolvedBackup;
  readonly target: ResolvedTarget;
  readonly id: string;
  readonly key: string;
  readonly upload: UploadPlace;
  readonly startedAt: string;
}

/** Finds the place that an upload was made to, by `backup@id`, its id, or the beginning of one. */
export async function findUpload(session: Session, observation: Observation, reference: string): Promise<Uploaded> {
  const cannot = `cannot adopt ${reference}`;
  const wanted = reference.slice(reference.indexOf('@') + 1);
  const places = observation.repositories.flatMap(({ name, ...rest }) =>
    rest.state === 'ready'
      ? rest.inventory.remains
          .filter(({ id, keptUntil: until }) => until !== undefined && id.startsWith(wanted))
          .map((remains) => ({ name, remains }))
      : [],
  );
  const [place, another] = places;
  if (place === undefined)
    throw notFoundError(`${cannot}: no place to upload to has that id`, {
      hint: '`bkp upload FILE --print-url` makes one and says its id',
    });
  if (another !== undefined) throw usageError(`${cannot}: several ids begin with it`);
  const { backup: folder, id } = place.remains;
  const repository = session.repositories.find((opened) => opened.name === place.name)?.repository;
  const backup = session.policy.backups.find((one) => ownNames(one).includes(folder));
  const begin = repository && (await readBegin(repository, { backup: folder, id }));
  const target = backup?.targets.find((one) => ownNames(one).includes(begin?.upload?.target ?? ''));
  const [key] = begin?.keys ?? [];
  if (!repository || begin?.upload === undefined || key === undefined)
    throw notFoundError(`${cannot}: its place is not there any more`);
  if (backup === undefined || target === undefined)
    throw usageError(`${cannot}: the policy has no target ${begin.upload.target} in a backup ${folder}`);
  return {
    repository,
    backup,
    target,
    id,
    key: snapshotFolder(folder, id) + key,
    upload: begin.upload,
    startedAt: begin.startedAt,
  };
}

export interface AdoptInput {
  /** The one that receives the snapshot. */
  readonly into: Repository;
  readonly takenAt: Date | undefined;
  readonly lockTimeoutMs: number;
}

/**
 * Takes what was uploaded by URL into a snapshot, like a file of this machine: a private copy of it is checked and stored,
 * so that whoever has the URL cannot change it meanwhile. The upload goes at once when its URL is over, else by `clean`.
 */
export async function adoptUpload(
  session: Session,
  uploaded: Uploaded,
  { into, takenAt, lockTimeoutMs }: AdoptInput,
): Promise<{ readonly manifest: Manifest; readonly isRemoved: boolean }> {
  const { backup, target, upload, startedAt } = uploaded;
  const file = await fetchUpload(session, uploaded);
  try {
    const made = takenAt ?? new Date(upload.takenAt ?? startedAt);
    const input = { backup, target, file, takenAt: made, repository: into, lockTimeoutMs };
    const manifest = await uploadSnapshot(session, input);
    return { manifest, isRemoved: await removeUpload(session, uploaded, lockTimeoutMs) };
  } finally {
    await rm(file, { force: true });
  }
}

async function fetchUpload(session: Session, { repository, key, id }: Uploaded): Promise<string> {
  const { context, signal } = session;
  if ((await repository.stat(key)) === undefined)
    throw notFoundError(`cannot adopt ${id}: nothing was uploaded yet`, { hint: 'the URL is still to be used' });
  const file = join(context.workDir, `${id}-${basename(key)}`);
  try {
    await pipeline(await repository.open(key), createWriteStream(file, { flags: 'wx', mode: 0o600 }), { signal });
    return file;
  } catch (error) {
    await rm(file, { force: true });
    throwIfAborted(signal);
    throw targetError(`cannot fetch what was uploaded to ${id}: ${reasonOf(error)}`, { cause: error });
  }
}

/** A URL that still works would write into a folder that nobody knows any more. */
async function removeUpload(session: Session, uploaded: Uploaded, waitMs: number): Promise<boolean> {
  const { repository, backup, id, upload } = uploaded;
  const { context, policy } = session;
  if (context.clock.now().toISOString() <= upload.expiresAt) return false;
  const run = session.newId(context.clock.now());
  const lease = await takeLease(session, repository, { backup: backup.name, purpose: 'upload', run, waitMs });
  try {
    const request = { backup: backup.name, id, policyNames: ownNames(policy), isAdopted: true };
    return await cleanRemains(repository, request, lease, context);
  } finally {
    await lease.release().catch(() => undefined);
  }
}
