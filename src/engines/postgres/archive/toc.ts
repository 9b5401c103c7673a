import { isDeepStrictEqual } from 'node:util';
import { damagedArchive } from './errors.ts';
import type { ArchiveForm, ArchiveHeader } from './header.ts';
import { INT_BYTES, KNOWN_POSITION, readInt, readOffset, readText, skipText } from './values.ts';
import { type Decoder, decoderOf, LATIN1 } from './client-encoding.ts';
import { measured, type Reading } from './feed.ts';
import { tableKey } from '../server/table-key.ts';

/** One line of the table of contents. Of statements only those that tell a value are kept. */
export interface ArchiveEntry {
  readonly dumpId: number;
  /** A data block with this id belongs to it. */
  readonly hadDumper: boolean;
  /** `TABLE DATA`, `BLOBS`, `EXTENSION`, … */
  readonly desc: string;
  readonly tag: string;
  readonly section: ArchiveSection;
  readonly namespace: string | null;
  readonly owner: string | null;
  readonly tablespace: string | null;
  /** The data are rows for COPY; without it they are statements. */
  readonly isCopy: boolean;
  /** The statement that sets a sequence; null for everything else. */
  readonly setsSequence: string | null;
  /** Where its data block begins; null where pg_dump wrote to a pipe and could not come back to tell. */
  readonly position: number | null;
  /** The file or member with its data; null in the custom format, and where there is none. */
  readonly file: string | null;
  /** How many bytes after the begin of the table of contents it ends. */
  readonly end: number;
}

/** An entry with data, for people. */
export const nameOfEntry = ({ desc, namespace, tag }: ArchiveEntry): string =>
  desc === 'TABLE DATA' ? `table ${tableKey(namespace ?? '', tag)}` : `entry ${tag}`;

export type ArchiveSection = 'none' | 'pre-data' | 'data' | 'post-data';

const SECTIONS: readonly (ArchiveSection | undefined)[] = [undefined, 'none', 'pre-data', 'data', 'post-data'];
/** The state of a position, which stands at the end of an entry, where there are no data. */
const NO_DATA = 3;

export function* readToc(header: ArchiveHeader, form: ArchiveForm): Reading<readonly ArchiveEntry[]> {
  const entries = yield* readEntries(header, form, true);
  if (new Set(entries.map((entry) => entry.dumpId)).size < entries.length)
    throw damagedArchive('two entries of its table of contents have one id');
  return entries;
}

/**
 * Where pg_dump 17 and newer write to a file that is their stdout, the table of contents that should replace the first one
 * comes after the data, without the statements of statistics. pg_restore never sees it.
 */
export function* readRepeatedToc(
  header: ArchiveHeader,
  entries: readonly ArchiveEntry[],
  positions: ReadonlyMap<number, number>,
): Reading<true> {
  const repeated = (yield* readEntries(header, 'custom', false)).map((entry) => ({ ...entry, end: 0 }));
  const expected = entries.map((entry) => ({ ...entry, position: positions.get(entry.dumpId) ?? null, end: 0 }));
  if (!isDeepStrictEqual(repeated, expected)) throw damagedArchive('something follows its data');
  return true;
}

function* readEntries(
  header: ArchiveHeader,
  form: ArchiveForm,
  withStatistics: boolean,
): Reading<readonly ArchiveEntry[]> {
  const count = yield* readInt();
  if (count < 0) throw damagedArchive('its table of contents has no length');
  const entries: ArchiveEntry[] = [];
  let decoder = decoderOf('');
  let end = INT_BYTES;
  while (entries.length < count) {
    const { outcome, bytes } = yield* measured(readEntry(header, form, decoder, withStatistics));
    const { entry, encoding } = outcome;
    end += bytes;
    entries.push({ ...entry, end });
    if (encoding !== null) decoder = decoderOf(encoding);
  }
  return entries;
}

/** `encoding` is the statement that tells how the names of all later entries are encoded. */
function* readEntry(
  { minor, positionBytes }: ArchiveHeader,
  form: ArchiveForm,
  decoder: Decoder,
  withStatistics: boolean,
): Reading<{ readonly entry: Omit<ArchiveEntry, 'end'>; readonly encoding: string | null }> {
  const [dumpId, dumper] = [yield* readInt(), yield* readInt()];
  if (dumpId <= 0 || dumper < 0 || dumper > 1) throw damagedArchive('an entry of its table of contents has no id');
  const hadDumper = dumper === 1;
  for (const _oid of ['of the catalog', 'of the object']) yield* skipText();
  const [tag, desc] = [yield* readText(decoder), yield* readText(decoder)];
  const section = SECTIONS[yield* readInt()];
  if (tag === null || desc === null || section === undefined) throw damagedArchive(`entry ${dumpId} has no kind`);
  const isKept = desc === 'ENCODING' || desc === 'SEQUENCE SET';
  const statement = isKept ? yield* readText(decoder) : null;
  if (!isKept && (withStatistics || desc !== 'STATISTICS DATA')) yield* skipText();
  yield* skipText();
  const isCopy = yield* skipText();
  const [namespace, tablespace] = [yield* readText(decoder), yield* readText(decoder)];
  yield* skipText();
  if (minor >= 16) yield* readInt();
  const owner = yield* readText(decoder);
  yield* skipText();
  for (let dependency = yield* readText(decoder); dependency !== null; dependency = yield* readText(decoder))
    if (!/^\d+$/.test(dependency)) throw damagedArchive(`entry ${dumpId} depends on nothing that could be`);
  const setsSequence = desc === 'SEQUENCE SET' ? statement : null;
  const names = { desc, tag, section, namespace, owner, tablespace, setsSequence };
  const place = yield* form === 'custom' ? readPlace(positionBytes) : readFile();
  if (place.hasData !== hadDumper) throw damagedArchive(`entry ${dumpId} does not tell whether it has data`);
  const entry = { dumpId, hadDumper, ...names, isCopy, position: place.position, file: place.file };
  return { entry, encoding: desc === 'ENCODING' ? statement : null };
}

type Place = Pick<ArchiveEntry, 'position' | 'file'> & { readonly hasData: boolean };

function* readPlace(positionBytes: number): Reading<Place> {
  const { state, position } = yield* readOffset(positionBytes);
  if (state < 1 || state > NO_DATA) throw damagedArchive('an entry has a place that could not be');
  return { hasData: state !== NO_DATA, position: state === KNOWN_POSITION ? position : null, file: null };
}

function* readFile(): Reading<Place> {
  const file = (yield* readText(LATIN1)) ?? '';
  return { hasData: file !== '', position: null, file: file === '' ? null : file };
}
