import { createHash } from 'node:crypto';
import type { MarkKind } from './manifest.ts';

/** Where everything of a repository is. */
export const IDENTITY_KEY = 'bkp-repository.json';
export const MANIFESTS = 'manifests/';
export const SNAPSHOTS = 'snapshots/';
export const MARKS = 'marks/';
export const RUNS = 'runs/';
export const LEASES = 'locks/';
/** What others may read instead of many small objects; no listing above shows it. */
export const INDEX_KEY = 'index/catalog.ndjson.zst';

export const manifestKey = (backup: string, id: string): string => `${MANIFESTS}${backup}/${id}.json`;
export const runKey = (backup: string, id: string): string => `${RUNS}${backup}/${id}.json`;
export const leaseKey = (backup: string, number: number): string => `${LEASES}${backup}.${number}.json`;
export const snapshotFolder = (backup: string, id: string): string => `${SNAPSHOTS}${backup}/${id}/`;
export const beginKey = (backup: string, id: string): string => `${snapshotFolder(backup, id)}begin.json`;
export const marksOf = (backup: string): string => `${MARKS}${backup}/`;

/** `marks/<backup>/<id>.<time>-<kind>.json`: one folder per backup, so that a hundred thousand are listed at once. */
export function markKey(backup: string, id: string, at: Date, kind: MarkKind): string {
  return `${marksOf(backup)}${id}.${at.toISOString().replace(/[-:.]/g, '')}-${kind}.json`;
}

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
const ID = /^[0-9]{8}T[0-9]{6}Z-[0-9a-z]{8}$/;
const LEASE = /^locks\/([a-z0-9][a-z0-9-]{0,62})\.([1-9][0-9]{0,14})\.json$/;
const MARK =
  /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})(\d{3})Z-(verified|damaged|protected|unprotected|restored|released|signed)\.json$/;

export interface SnapshotName {
  readonly backup: string;
  readonly id: string;
}

/** The snapshot or run that a key in `manifests/` or `runs/` is about; undefined for foreign files. */
export function parseDocumentKey(key: string): SnapshotName | undefined {
  return key.endsWith('.json') ? nameBelow(key.slice(0, -5)) : undefined;
}

/** The snapshot that a folder in `snapshots/<backup>/` belongs to. */
export function parseSnapshotFolder(key: string): SnapshotName | undefined {
  return key.endsWith('/') ? nameBelow(key.slice(0, -1)) : undefined;
}

/** Reads `<folder>/<backup>/<id>`; cuts no key into pieces that nobody needs, since a plan reads a hundred thousand. */
function nameBelow(path: string): SnapshotName | undefined {
  const backup = path.indexOf('/') + 1;
  const id = path.indexOf('/', backup) + 1;
  return backup === 0 || id === 0 ? undefined : nameOf(path.slice(backup, id - 1), path.slice(id));
}

const nameOf = (backup: string, id: string): SnapshotName | undefined =>
  ID.test(id) && NAME.test(backup) ? { backup, id } : undefined;

/** The lease number of a key in `locks/`. */
export function parseLeaseKey(key: string): { readonly backup: string; readonly number: number } | undefined {
  const [, backup, number] = LEASE.exec(key) ?? [];
  return backup === undefined ? undefined : { backup, number: Number(number) };
}

/** Snapshot, time and kind of a mark: all of it but the data is in its key. */
export function parseMarkKey(
  key: string,
): (SnapshotName & { readonly at: string; readonly kind: MarkKind }) | undefined {
  const [, backup = '', file = '', more] = key.split('/');
  const dot = file.indexOf('.');
  const match = more === undefined ? MARK.exec(file.slice(dot + 1)) : null;
  const name = nameOf(backup, file.slice(0, dot));
  if (match === null || name === undefined) return undefined;
  const [, year, month, day, hour, minute, second, milliseconds, kind] = match;
  const at = `${year}-${month}-${day}T${hour}:${minute}:${second}.${milliseconds}Z`;
  if (Number.isNaN(Date.parse(at))) return undefined;
  return { ...name, at, kind: kind as MarkKind };
}

export interface ArtifactName {
  readonly target: string;
  /** Empty for the single artifact of a target. */
  readonly name: string;
  readonly extension: string;
  readonly compression: 'zstd' | 'gzip' | null;
  readonly isEncrypted?: boolean;
}

const SUFFIX = { zstd: '.zst', gzip: '.gz' } as const;

/** The key of an artifact below its snapshot's folder: `db.tar.zst.age`, or `db/<percent-encoded name>.sql.zst`. */
export function artifactKey({ target, name, extension, compression, isEncrypted = false }: ArtifactName): string {
  const stem = name === '' ? target : `${target}/${encodeName(name)}`;
  return `${stem}.${extension}${compression === null ? '' : SUFFIX[compression]}${isEncrypted ? '.age' : ''}`;
}

const LONGEST_NAME = 180;

/**
 * Percent-encodes all but lower-case letters, digits, `_`, `-` and inner dots, so that two names stay two where a file
 * system ignores case. Over-long names end in a digest; the manifest has the name itself.
 */
export function encodeName(name: string): string {
  const encoded = Array.from(Buffer.from(name), (byte, index) => {
    const character = String.fromCharCode(byte);
    const isPlain = /[a-z0-9_-]/.test(character) || (character === '.' && index > 0);
    return isPlain ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
  if (encoded.length <= LONGEST_NAME) return encoded;
  return `${encoded.slice(0, LONGEST_NAME - 17)}~${createHash('sha256').update(name).digest('hex').slice(0, 16)}`;
}
