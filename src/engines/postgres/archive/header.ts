import { damagedArchive, unreadableArchive } from './errors.ts';
import { readByte, readInt, readText } from './values.ts';
import { decoderOf } from './client-encoding.ts';
import type { Reading } from './feed.ts';

/** How an archive begins: a file of the custom format, or the table of contents of the others. */
export interface ArchiveHeader {
  /** The second number of the archive version: 14 for PostgreSQL 12 to 15, 15 for 16, 16 for 17 and 18. */
  readonly minor: number;
  /** How many bytes a position takes. */
  readonly positionBytes: number;
  readonly database: string | null;
  /** As the server and pg_dump told them: `15.18 (Debian 15.18-0+deb12u1)`. */
  readonly serverVersion: string | null;
  readonly toolVersion: string | null;
}

const MAGIC = Buffer.from('PGDMP');
/** A directory calls itself tar, so that pg_restore reads it in either form. */
export type ArchiveForm = 'custom' | 'tar';
const FORMS: Readonly<Record<number, string>> = { 1: 'custom', 3: 'tar', 4: 'plain' };
const [FIRST_MINOR, LAST_MINOR] = [14, 16];
/** Sec, min, hour, day, month, year and summer time of the machine that dumped, without its zone. */
const TIME_FIELDS = 7;

export function* readHeader(wanted: ArchiveForm): Reading<ArchiveHeader> {
  if (!(yield MAGIC.length).equals(MAGIC))
    throw unreadableArchive('it does not begin with PGDMP', 'it may be no dump, or one of another format');
  const [major, minor] = [yield* readByte(), yield* readByte()];
  yield* readByte();
  if (major !== 1 || minor < FIRST_MINOR || minor > LAST_MINOR)
    throw unreadableArchive(`its version is ${major}.${minor}`, 'pg_dump 12 to 18 write versions 1.14 to 1.16');
  const [intBytes, positionBytes, format] = [yield* readByte(), yield* readByte(), yield* readByte()];
  if (intBytes !== 4 || (positionBytes !== 8 && positionBytes !== 4))
    throw damagedArchive('its numbers have sizes that no pg_dump writes');
  if (FORMS[format] !== wanted)
    throw unreadableArchive(
      `its format is ${FORMS[format] ?? format}, not ${wanted}`,
      'it was stored as something else',
    );
  // A level before 1.15, an algorithm since.
  const compression = minor < 15 ? yield* readInt() : yield* readByte();
  if (compression !== 0)
    throw unreadableArchive('only uncompressed archives are read here', 'dump with --compress=0: bkp compresses');
  for (let field = 0; field < TIME_FIELDS; field++) yield* readInt();
  const text = decoderOf('');
  const database = yield* readText(text);
  const serverVersion = yield* readText(text);
  return { minor, positionBytes, database, serverVersion, toolVersion: yield* readText(text) };
}
