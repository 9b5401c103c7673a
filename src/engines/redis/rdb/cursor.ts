import { integrityError } from '../../../errors.ts';
import { unpackLzf } from './lzf.ts';

/** Where a reading stands in the bytes that came so far. */
export interface Cursor {
  buffer: Buffer;
  at: number;
}

/** Code that reads from a cursor: it yields where it needs more bytes behind those that are left. */
export type Reading<T> = Generator<undefined, T, undefined>;

/** There are too few bytes to tell. */
const TOO_FEW = -1;
/** A length that is none but announces how the string is packed: the answer is `PACKED - encoding`. */
const PACKED = -2;
const LZF = 3;
/** Bytes of the numbers that stand for a string, by encoding. */
const NUMBER_BYTES = [1, 2, 4] as const;

function tryLength(cursor: Cursor): number {
  const { buffer, at } = cursor;
  const left = buffer.length - at;
  if (left < 1) return TOO_FEW;
  const first = buffer[at] ?? 0;
  switch (first >> 6) {
    case 0:
      cursor.at = at + 1;
      return first;
    case 1:
      if (left < 2) return TOO_FEW;
      cursor.at = at + 2;
      return ((first & 0x3f) << 8) | (buffer[at + 1] ?? 0);
    case 3:
      cursor.at = at + 1;
      return PACKED - (first & 0x3f);
  }
  if (first === 0x80) {
    if (left < 5) return TOO_FEW;
    cursor.at = at + 5;
    return buffer.readUInt32BE(at + 1);
  }
  if (first !== 0x81) throw damaged('a length is none');
  if (left < 9) return TOO_FEW;
  cursor.at = at + 9;
  return Number(buffer.readBigUInt64BE(at + 1));
}

/** Waits until so many bytes lie in one piece: ask for little. */
export function* need(cursor: Cursor, bytes: number): Reading<void> {
  while (cursor.buffer.length - cursor.at < bytes) yield;
}

export function* readByte(cursor: Cursor): Reading<number> {
  if (cursor.at >= cursor.buffer.length) yield* need(cursor, 1);
  return cursor.buffer[cursor.at++] ?? 0;
}

export function* skipBytes(cursor: Cursor, bytes: number): Reading<void> {
  let left = bytes;
  for (;;) {
    const there = cursor.buffer.length - cursor.at;
    if (left <= there) break;
    left -= there;
    cursor.at = cursor.buffer.length;
    yield;
  }
  cursor.at += left;
}

/** A count or another plain number; beyond 2^53 it is not exact. */
export function* readLength(cursor: Cursor): Reading<number> {
  const length = yield* readLengthOrPacking(cursor);
  if (length < 0) throw damaged('a string stands where a length belongs');
  return length;
}

function* readLengthOrPacking(cursor: Cursor): Reading<number> {
  for (;;) {
    const length = tryLength(cursor);
    if (length !== TOO_FEW) return length;
    yield;
  }
}

/** Goes past a string, whatever its size, without holding it. */
export function* skipString(cursor: Cursor): Reading<void> {
  const length = yield* readLengthOrPacking(cursor);
  if (length >= 0) yield* skipBytes(cursor, length);
  else if (length === PACKED - LZF) {
    const packed = yield* readLength(cursor);
    yield* readLength(cursor);
    yield* skipBytes(cursor, packed);
  } else yield* skipBytes(cursor, numberBytes(length));
}

/** True when a plain string lay there in one piece and is passed; the common case, and the fast one. */
export function trySkipString(cursor: Cursor): boolean {
  const { at } = cursor;
  const length = tryLength(cursor);
  if (length >= 0 && cursor.buffer.length - cursor.at >= length) {
    cursor.at += length;
    return true;
  }
  cursor.at = at;
  return false;
}

/** A string as it was before it was packed. It is held in memory. */
export function* readString(cursor: Cursor): Reading<Buffer> {
  const length = yield* readLengthOrPacking(cursor);
  if (length >= 0) return yield* take(cursor, length);
  if (length === PACKED - LZF) {
    const packed = yield* readLength(cursor);
    const unpacked = yield* readLength(cursor);
    return unpackLzf(yield* take(cursor, packed), unpacked);
  }
  const bytes = numberBytes(length);
  const number = yield* take(cursor, bytes);
  return Buffer.from(String(number.readIntLE(0, bytes)));
}

function* take(cursor: Cursor, bytes: number): Reading<Buffer> {
  if (cursor.buffer.length - cursor.at >= bytes) {
    const piece = Buffer.from(cursor.buffer.subarray(cursor.at, cursor.at + bytes));
    cursor.at += bytes;
    return piece;
  }
  // A damaged length may promise more than there will ever be: nothing is set aside for it before it comes.
  const pieces: Buffer[] = [];
  for (let left = bytes; left > 0;) {
    const there = Math.min(left, cursor.buffer.length - cursor.at);
    pieces.push(Buffer.from(cursor.buffer.subarray(cursor.at, cursor.at + there)));
    cursor.at += there;
    left -= there;
    if (left > 0) yield;
  }
  return Buffer.concat(pieces, bytes);
}

function numberBytes(packing: number): number {
  const bytes = NUMBER_BYTES[PACKED - packing];
  if (bytes === undefined) throw damaged('a string is packed in an unknown way');
  return bytes;
}

/** What is told of bytes that are no dump. */
export const damaged = (what: string): Error => integrityError(`cannot read the dump: ${what}`);
