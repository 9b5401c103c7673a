import { arrivalOf, type Arrival } from './arrivals.ts';
import { parseDocument, writeDocument, type Fields, type Parsed } from './document.ts';
import type { LeaseOwner } from './inventory.ts';
import type { SnapshotName } from './keys.ts';
import { assertKeys } from './manifest-codec.ts';

/** `begin.json`: who started to store a snapshot, under which lease, and every key below its folder so far. */
export interface Begin extends SnapshotName {
  readonly formatVersion: 1;
  readonly policy: string;
  readonly owner: LeaseOwner;
  /** The lease it is stored under; its backup differs from the folder's after a rename. */
  readonly lease: { readonly backup: string; readonly number: number };
  readonly startedAt: string;
  /** One that ends with a slash stands for all that lies below it. */
  readonly keys: readonly string[];
  /**
   * The owner is removing what the keys name. Written before a cleaner looks for a manifest, and looked for by whoever
   * wrote one or is about to rely on one: of the two at least one sees the other.
   */
  readonly cleaning?: true;
  /** Present where every try stores other bytes (encrypted anew): what of them arrived whole, in any try. */
  readonly arrived?: readonly Arrival[];
  /** A place that somebody may upload one file to by URL; no capture is under way. */
  readonly upload?: UploadPlace;
}

export interface UploadPlace {
  /** The target that the file is a dump of. */
  readonly target: string;
  /** When the file was made, where that was said. */
  readonly takenAt: string | null;
  /** When the URL ends. */
  readonly expiresAt: string;
}

const DAY_MS = 86_400_000;

/** Until when an uploaded file waits for somebody to adopt it: a day after its URL ended. ISO. */
export const keptUntil = ({ expiresAt }: UploadPlace): string => new Date(Date.parse(expiresAt) + DAY_MS).toISOString();

export const writeBegin = (begin: Begin): Buffer => writeDocument(begin);

/** Reads a begin.json found in the folder of a snapshot. */
export function parseBegin(bytes: Uint8Array, name: SnapshotName): Parsed<Begin> {
  return parseDocument(bytes, 1, (fields) => {
    const keys = fields.texts('keys');
    assertKeys(keys);
    const begin: Begin = {
      formatVersion: 1,
      policy: fields.text('policy'),
      backup: fields.text('backup'),
      id: fields.text('id'),
      owner: ownerOf(fields.object('owner')),
      lease: leaseOf(fields.object('lease')),
      startedAt: fields.time('startedAt'),
      keys,
      ...(fields.all['cleaning'] === true ? { cleaning: true as const } : {}),
      ...('arrived' in fields.all ? { arrived: fields.list('arrived', arrivalOf) } : {}),
      ...('upload' in fields.all ? { upload: uploadOf(fields.object('upload')) } : {}),
    };
    if (begin.backup !== name.backup || begin.id !== name.id)
      throw new Error(`it belongs to ${begin.backup}@${begin.id}`);
    return begin;
  });
}

/** True when a begin.json says that files which a manifest names are being removed. */
export const isCleaning = (begin: Pick<Begin, 'cleaning' | 'keys'> | undefined, keys: readonly string[]): boolean =>
  begin?.cleaning === true && begin.keys.some((key) => keys.includes(key));

const uploadOf = (fields: Fields): UploadPlace => ({
  target: fields.text('target'),
  takenAt: fields.timeOrNull('takenAt'),
  expiresAt: fields.time('expiresAt'),
});

const leaseOf = (fields: Fields): Begin['lease'] => ({ backup: fields.text('backup'), number: fields.whole('number') });

/** Reads the owner of a lease. */
export const ownerOf = (fields: Fields): LeaseOwner => ({
  host: fields.text('host'),
  bootId: fields.text('bootId'),
  pid: fields.whole('pid'),
  policy: fields.text('policy'),
  run: fields.text('run'),
});
