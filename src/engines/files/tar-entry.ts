import { integrityError } from '../../errors.ts';
import { type ByteName, canonicalName, quoteName } from './byte-name.ts';
import type { PaxRecord } from './pax-records.ts';
import type { Segment } from './sparse-map.ts';
import type { TarHeader } from './tar-header.ts';

export type EntryType = 'file' | 'folder' | 'symlink' | 'link' | 'fifo' | 'block' | 'character';

/** One member of an archive as it would come back on disk. */
export interface TarEntry {
  readonly type: EntryType;
  /** Canonical: no `./`, no slash at the end; hostile parts (`..`, a leading slash) are still there. */
  readonly name: ByteName;
  /** Where a symlink points, or the earlier member that a hard link shares its bytes with. */
  readonly target: ByteName;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of the file with its holes. */
  readonly size: number;
  /** Seconds since 1970 as decimal text with up to nanoseconds, without zeros at the end. */
  readonly mtime: string;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  /** Extended attributes and ACLs by their pax keys. */
  readonly attributes: readonly PaxRecord[];
}

/** How the bytes of an entry lie in the archive. */
export interface EntryLayout {
  readonly entry: TarEntry;
  /** Bytes that follow the header, a sparse map among them. */
  readonly storedBytes: number;
  /** Null: the file as it is. `in-data`: a GNU 1.0 map stands before the bytes. */
  readonly sparse: null | 'in-data' | readonly Segment[];
}

/** What stood before a header and belongs to it. */
export interface Extensions {
  readonly pax: readonly PaxRecord[] | null;
  readonly longName: ByteName | null;
  readonly longTarget: ByteName | null;
}

const TYPES: Readonly<Record<string, EntryType>> = {
  '0': 'file',
  '1': 'link',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'folder',
  '6': 'fifo',
  '7': 'file',
  S: 'file',
};
const ATTRIBUTE = /^(?:SCHILY\.xattr\.|SCHILY\.acl\.|LIBARCHIVE\.xattr\.|RHT\.security\.)/;

/** Joins a header with its extensions. Refuses what two readers could understand differently. */
export function readEntry(header: TarHeader, extensions: Extensions): EntryLayout {
  const pax = new Map(extensions.pax);
  const type = TYPES[header.flag];
  const rawName = pax.get('GNU.sparse.name') ?? pax.get('path') ?? extensions.longName ?? header.name;
  if (type === undefined) throw unusable(rawName, `its type ${JSON.stringify(header.flag)} is not known`);
  const target = pax.get('linkpath') ?? extensions.longTarget ?? header.target;
  if (`${rawName}${target}`.includes('\0') || rawName === '') throw unusable(rawName, 'its name is malformed');
  if (extensions.pax !== null && (extensions.longName !== null || extensions.longTarget !== null)) {
    throw unusable(rawName, 'it has names of two formats');
  }
  const storedBytes = numberOf(pax, 'size', rawName) ?? header.size;
  const isFolder = type === 'folder' || (type === 'file' && rawName.endsWith('/'));
  if (storedBytes !== 0 && (type !== 'file' || isFolder))
    throw unusable(rawName, 'it has bytes that its type cannot have');
  const sparse = sparseOf(header, pax, extensions.pax ?? [], rawName);
  return {
    entry: {
      type: isFolder ? 'folder' : type,
      name: canonicalName(rawName),
      target: type === 'link' ? canonicalName(target) : type === 'symlink' ? target : '',
      mode: header.mode,
      uid: numberOf(pax, 'uid', rawName) ?? header.uid,
      gid: numberOf(pax, 'gid', rawName) ?? header.gid,
      size: sparse === null ? storedBytes : sparse.size,
      mtime: timeOf(pax.get('mtime') ?? String(header.mtime), rawName),
      deviceMajor: header.deviceMajor,
      deviceMinor: header.deviceMinor,
      attributes: pax.size === 0 ? [] : [...pax].filter(([key]) => ATTRIBUTE.test(key)),
    },
    storedBytes,
    sparse: sparse === null ? null : sparse.map,
  };
}

/** The three sparse formats that GNU tar and libarchive write into pax headers (1.0, 0.1, 0.0). */
function sparseOf(
  header: TarHeader,
  pax: ReadonlyMap<string, string>,
  records: readonly PaxRecord[],
  name: ByteName,
): { readonly size: number; readonly map: 'in-data' | readonly Segment[] } | null {
  if (header.flag === 'S') return { size: 0, map: [] };
  const major = pax.get('GNU.sparse.major');
  if (major !== undefined) {
    const size = numberOf(pax, 'GNU.sparse.realsize', name);
    if (major !== '1' || pax.get('GNU.sparse.minor') !== '0' || size === null) {
      throw unusable(name, 'its sparse format is not known');
    }
    return { size, map: 'in-data' };
  }
  const size = numberOf(pax, 'GNU.sparse.size', name);
  if (size === null) {
    if (records.some(([key]) => key.startsWith('GNU.sparse.'))) throw unusable(name, 'its sparse map is not whole');
    return null;
  }
  const listed = pax.get('GNU.sparse.map');
  const numbers =
    listed !== undefined
      ? listed.split(',').filter((part) => part !== '')
      : records
          .filter(([key]) => key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes')
          .map(([, value]) => value);
  const map: Segment[] = [];
  for (let index = 0; index + 1 < numbers.length; index += 2) {
    map.push([decimal(numbers[index] ?? '', name), decimal(numbers[index + 1] ?? '', name)]);
  }
  return { size, map };
}

function numberOf(pax: ReadonlyMap<string, string>, key: string, name: ByteName): number | null {
  const text = pax.get(key);
  return text === undefined ? null : decimal(text, name);
}

function decimal(text: string, name: ByteName): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw unusable(name, 'a number of its pax header is malformed');
  return value;
}

function timeOf(text: string, name: ByteName): string {
  const match = /^(-?\d{1,16})(?:\.(\d+))?$/.exec(text);
  if (match === null) throw unusable(name, 'its time is malformed');
  const fraction = (match[2] ?? '').slice(0, 9).replace(/0+$/, '');
  return fraction === '' ? String(match[1]) : `${match[1]}.${fraction}`;
}

const unusable = (name: ByteName, reason: string): Error =>
  integrityError(`cannot read entry ${quoteName(name)} of the archive: ${reason}`, {
    hint: 'the archive is damaged or was not made by a tar program that bkp knows',
  });
