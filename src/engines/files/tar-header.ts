import { integrityError } from '../../errors.ts';
import type { ByteName } from './byte-name.ts';

export const BLOCK = 512;

/** The fields of one 512-byte tar header (POSIX ustar, GNU or the old format), as they stand there. */
export interface TarHeader {
  /** The type flag, one character. */
  readonly flag: string;
  readonly name: ByteName;
  readonly target: ByteName;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
}

/** Decodes a header block whose checksum is right; throws `integrity` for anything else. */
export function decodeHeader(block: Buffer): TarHeader {
  const magic = block.toString('latin1', 257, 263);
  const isPosix = magic === 'ustar\0';
  const isKnown = isPosix || magic === 'ustar ' || magic === '\0\0\0\0\0\0';
  if (!isKnown) throw notAHeader('its format is unknown');
  if (checksumOf(block) !== numberAt(block, 148, 8)) throw notAHeader('a header has a wrong checksum');
  const prefix = isPosix ? textAt(block, 345, 155) : '';
  const name = textAt(block, 0, 100);
  return {
    flag: String.fromCharCode(block[156] || 0x30),
    name: prefix === '' ? name : `${prefix}/${name}`,
    target: textAt(block, 157, 100),
    mode: numberAt(block, 100, 8) & 0o7777,
    uid: numberAt(block, 108, 8),
    gid: numberAt(block, 116, 8),
    size: numberAt(block, 124, 12),
    mtime: numberAt(block, 136, 12, true),
    deviceMajor: numberAt(block, 329, 8),
    deviceMinor: numberAt(block, 337, 8),
  };
}

/** A number of a header: octal digits, or base 256 where the first bit is set. */
export function numberAt(block: Buffer, at: number, length: number, maybeNegative = false): number {
  const first = block[at] ?? 0;
  if (first === 0x80) return base256(block, at, length, 0);
  if (first === 0xff && maybeNegative) return base256(block, at, length, -1);
  let value = 0;
  let index = at;
  const end = at + length;
  while (index < end && block[index] === 0x20) index++;
  if (index === end) throw notAHeader('a number in a header is missing');
  for (; index < end; index++) {
    const byte = block[index] ?? 0;
    if (byte === 0 || byte === 0x20) break;
    if (byte < 0x30 || byte > 0x37) throw notAHeader('a number in a header is malformed');
    value = value * 8 + (byte - 0x30);
  }
  return value;
}

function base256(block: Buffer, at: number, length: number, sign: 0 | -1): number {
  let value = sign;
  for (let index = at + 1; index < at + length; index++) value = value * 256 + (block[index] ?? 0);
  if (!Number.isSafeInteger(value)) throw notAHeader('a number in a header is too large');
  return value;
}

function textAt(block: Buffer, at: number, length: number): string {
  let end = at;
  while (end < at + length && block[end] !== 0) end++;
  return block.toString('latin1', at, end);
}

function checksumOf(block: Buffer): number {
  let sum = 8 * 0x20;
  for (let index = 0; index < 148; index++) sum += block[index] as number;
  for (let index = 156; index < BLOCK; index++) sum += block[index] as number;
  return sum;
}

const notAHeader = (reason: string): Error =>
  integrityError(`cannot read the archive: ${reason}`, { hint: 'the archive is damaged, or it is not a tar file' });
