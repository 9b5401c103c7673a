import { damagedArchive } from './errors.ts';
import type { Decoder } from './client-encoding.ts';
import type { Reading } from './feed.ts';

/** A sign and four bytes, the lowest first; every pg_dump writes ints of this size. */
export const INT_BYTES = 5;
const MOST_TEXT_BYTES = 1024 * 1024;
const SKIPPED_AT_ONCE = 64 * 1024;

export function* readByte(): Reading<number> {
  return (yield 1)[0] as number;
}

export function* readInt(): Reading<number> {
  return decodeInt(yield INT_BYTES, 0);
}

/** The int that begins at `at`. */
export function decodeInt(bytes: Buffer, at: number): number {
  const sign = bytes[at] as number;
  if (sign > 1) throw damagedArchive('a number has no sign');
  const value = bytes.readUInt32LE(at + 1);
  return sign === 0 ? value : -value;
}

/** A text that is kept: a name or a number in digits. */
export function* readText(decoder: Decoder): Reading<string | null> {
  const bytes = yield* readLength();
  if (bytes === null) return null;
  if (bytes > MOST_TEXT_BYTES) throw damagedArchive(`a name is ${bytes} bytes long`);
  return decoder.decode(yield bytes);
}

/** A text that may be long and is not kept; true if there was one. */
export function* skipText(): Reading<boolean> {
  const bytes = (yield* readLength()) ?? 0;
  for (let left = bytes; left > 0;) left -= (yield Math.min(left, SKIPPED_AT_ONCE)).length;
  return bytes > 0;
}

/** Null stands for a text that is not there, which is something else than an empty one. */
function* readLength(): Reading<number | null> {
  const bytes = yield* readInt();
  if (bytes < -1 || bytes > 0x7fffffff) throw damagedArchive('a text has no length');
  return bytes === -1 ? null : bytes;
}

/** The state of a position that pg_dump could tell. */
export const KNOWN_POSITION = 2;

/** The place of a data block: a state and a position of the size that the header tells, the lowest byte first. */
export function* readOffset(size: number): Reading<{ readonly state: number; readonly position: number }> {
  const state = yield* readByte();
  const bytes = yield size;
  const high = size === 8 ? bytes.readUInt32LE(4) : 0;
  return { state, position: high * 0x1_0000_0000 + bytes.readUInt32LE(0) };
}

/** The same written, for a position that is known. */
export function encodePosition(position: number, size: number): Buffer {
  const bytes = Buffer.alloc(1 + size);
  bytes[0] = KNOWN_POSITION;
  bytes.writeUIntLE(position, 1, Math.min(size, MOST_UINT_BYTES));
  return bytes;
}

const MOST_UINT_BYTES = 6;
