import { integrityError } from '../../errors.ts';
import type { ObjectAnswer } from '../../s3/get-object.ts';
import type { ObjectHeaders } from '../../s3/outgoing.ts';

/** What an archive keeps of an object besides its bytes: one line of its metadata entry. */
export interface ObjectRecord {
  readonly key: string;
  /** Of the entry that has the bytes. */
  readonly entry: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Another object took its place while it was read: the next entry is of that one, under the same name. */
  readonly isCut?: true;
  readonly etag: string;
  readonly version?: string;
  readonly modified?: string;
  /** It was so young when it was read that another one with the same bytes could follow it within the same second. */
  readonly isYoung?: true;
  /** As the store gives and takes them back, by the names of the S3 API. */
  readonly headers: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
}

const HEADERS = [
  'ContentType',
  'ContentEncoding',
  'ContentLanguage',
  'ContentDisposition',
  'CacheControl',
  'StorageClass',
  'WebsiteRedirectLocation',
] as const;

/** Headers of an object as they stand in an answer. */
function headersOf(answer: ObjectAnswer): Readonly<Record<string, string>> {
  const pairs = HEADERS.flatMap((name) => (answer[name] === undefined ? [] : [[name, answer[name]] as const]));
  const expires = answer.ExpiresString === undefined ? [] : [['Expires', answer.ExpiresString] as const];
  return Object.fromEntries([...pairs, ...expires]);
}

/** Stores tell the time of an object by the second, and have clocks of their own. */
const YOUNG_MS = 3000;

/** The record of an object whose bytes are stored, with what the store said of it when they were read. */
export function recordOf(
  { key, entry, bytes, sha256 }: Pick<ObjectRecord, 'key' | 'entry' | 'bytes' | 'sha256'>,
  answer: ObjectAnswer,
  tags: Readonly<Record<string, string>>,
  now?: Date,
): ObjectRecord {
  const { VersionId: version, LastModified: modified } = answer;
  const isYoung = modified !== undefined && now !== undefined && now.getTime() - modified.getTime() < YOUNG_MS;
  return {
    key,
    entry,
    bytes,
    sha256,
    etag: answer.ETag ?? '',
    ...(version === undefined || version === 'null' ? {} : { version }),
    ...(modified === undefined ? {} : { modified: modified.toISOString() }),
    ...(isYoung ? { isYoung } : {}),
    headers: headersOf(answer),
    metadata: answer.Metadata ?? {},
    tags,
  };
}

/**
 * True where nobody wrote an object since its record, as far as a listing with the same size and ETag tells: what else
 * belongs to it changes with the time only. Its tags are what can change without; who has some may get others.
 */
export const isUntouched = ({ modified, isYoung, tags }: ObjectRecord, listed: string): boolean =>
  isYoung !== true && modified !== undefined && isSameSecond(modified, listed) && Object.keys(tags).length === 0;

const isSameSecond = (one: string, other: string): boolean =>
  Math.floor(Date.parse(one) / 1000) === Math.floor(Date.parse(other) / 1000);

/** The same as an object is written with. */
export function sendableHeaders({ headers, metadata, tags }: ObjectRecord): ObjectHeaders {
  const { Expires, StorageClass, ...plain } = headers;
  const tagging = new URLSearchParams(tags).toString();
  return {
    ...plain,
    ...(Expires === undefined ? {} : { Expires: new Date(Expires) }),
    ...(StorageClass === undefined ? {} : { StorageClass: StorageClass as 'STANDARD' }),
    Metadata: { ...metadata },
    ...(tagging === '' ? {} : { Tagging: tagging }),
  };
}

/** One line of a metadata entry. Throws `integrity` for anything else. */
export function readRecord(line: string): ObjectRecord {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    value = null;
  }
  if (!isObjectRecord(value)) throw integrityError('cannot read the archive: a line of its metadata is malformed');
  return value;
}

/** True for what a line of a metadata entry holds. */
export function isObjectRecord(value: unknown): value is ObjectRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { key, entry, bytes, sha256, headers, metadata, tags } = value as Readonly<Record<string, unknown>>;
  return (
    [key, entry, sha256].every((text) => typeof text === 'string') &&
    typeof bytes === 'number' &&
    [headers, metadata, tags].every((map) => typeof map === 'object' && map !== null)
  );
}
