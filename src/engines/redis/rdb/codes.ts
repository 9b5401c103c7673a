import { type BkpError, integrityError } from '../../../errors.ts';
import { type Cursor, damaged, need, type Reading, readLength, readString, skipString } from './cursor.ts';
import { readModuleName, skipModuleData } from './values.ts';

/** What may stand in a dump where no key does. Below the first of them are the kinds of values. */
export const CODE = {
  slot: 244,
  library: 245,
  moduleData: 247,
  idle: 248,
  frequency: 249,
  note: 250,
  sizes: 251,
  expireMs: 252,
  expireSeconds: 253,
  database: 254,
  end: 255,
} as const;
export const FIRST_CODE = 240;

const OLDEST = 5;
/** Of Redis 7.4 to 8.4; Valkey stays at 11 up to its version 8. */
const NEWEST = 12;
const HEAD_BYTES = 9;

/** Reads the first line. Throws `integrity` for another file, and for a format that nobody here knows. */
export function* readVersion(cursor: Cursor): Reading<number> {
  yield* need(cursor, HEAD_BYTES);
  const head = cursor.buffer.toString('latin1', cursor.at, cursor.at + HEAD_BYTES);
  cursor.at += HEAD_BYTES;
  const version = /^(?:REDIS|VALKEY)(\d+)$/.exec(head)?.[1];
  if (version === undefined) throw damaged('it does not begin as one of Redis or Valkey does');
  if (Number(version) > NEWEST) throw unknownFormat(`its format ${Number(version)} is newer than ${NEWEST}`);
  if (Number(version) < OLDEST) throw damaged(`its format ${Number(version)} is older than ${OLDEST}`);
  return Number(version);
}

/** Passes what says nothing about keys. Tells the module that left data of its own. */
export function* skipCode(cursor: Cursor, code: number): Reading<string | undefined> {
  switch (code) {
    case CODE.note:
      yield* readString(cursor);
      yield* skipString(cursor);
      return undefined;
    case CODE.sizes:
      yield* lengths(cursor, 2);
      return undefined;
    case CODE.slot:
      yield* lengths(cursor, 3);
      return undefined;
    case CODE.moduleData: {
      const name = yield* readModuleName(cursor);
      yield* lengths(cursor, 2);
      yield* skipModuleData(cursor);
      return name;
    }
  }
  throw unknownFormat(`it has the unknown part ${code}`);
}

function* lengths(cursor: Cursor, count: number): Reading<void> {
  for (let left = count; left > 0; left -= 1) yield* readLength(cursor);
}

/** What is told of a dump that a newer server may have written. */
export const unknownFormat = (what: string): BkpError =>
  integrityError(`cannot read the dump: ${what}`, { hint: 'it is damaged, or a newer bkp reads it' });
