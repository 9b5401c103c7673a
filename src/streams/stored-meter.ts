import { createHash } from 'node:crypto';
import { createAgeWalker } from '../encryption/age-outline.ts';
import { integrityError } from '../errors.ts';
import type { CompressionMethod } from './bytes.ts';
import { createZstdWalker } from './zstd-frame.ts';

/** Counts and hashes stored bytes as they pass. */
export interface StoredMeter {
  push(chunk: Buffer): void;
  readonly bytes: number;
  /** Hex SHA-256; call it once, at the end. */
  sha256(): string;
}

export function createStoredMeter(): StoredMeter {
  const hash = createHash('sha256');
  let bytes = 0;
  return {
    get bytes() {
      return bytes;
    },
    push(chunk) {
      hash.update(chunk);
      bytes += chunk.length;
    },
    sha256: () => hash.digest('hex'),
  };
}

/** Knows whether bytes in some form are whole: whether the form's own end mark came. */
export interface FormCheck {
  readonly push: (chunk: Buffer) => void;
  /** Throws `integrity` unless the bytes are whole, not empty and agree with the raw count (null: not counted). */
  assertWhole(subject: string, rawBytes: number | null): void;
}

const asCheck = (push: FormCheck['push'], describeGap: (rawBytes: number | null) => string | undefined): FormCheck => ({
  push,
  assertWhole(subject, rawBytes) {
    const gap = rawBytes === 0 ? 'it is empty' : describeGap(rawBytes);
    if (gap !== undefined) throw integrityError(`cannot store ${subject}: ${gap}`);
  },
});

/** The check of compressed bytes. */
export function checkCompressed(method: CompressionMethod): FormCheck {
  if (method === 'zstd') return checkZstd();
  return method === 'gzip' ? checkGzip() : checkPlain();
}

function checkPlain(): FormCheck {
  let bytes = 0;
  return asCheck(
    (chunk) => {
      bytes += chunk.length;
    },
    (rawBytes) => {
      if (bytes === 0) return 'it is empty';
      return rawBytes !== null && rawBytes !== bytes ? `${bytes} of ${rawBytes} bytes arrived` : undefined;
    },
  );
}

function checkZstd(): FormCheck {
  const walker = createZstdWalker();
  let isEmpty = true;
  return asCheck(
    (chunk) => {
      isEmpty = false;
      walker.push(chunk);
    },
    (rawBytes) => {
      const { whole, frames, contentBytes } = walker.outline();
      if (isEmpty) return 'it is empty';
      if (!whole) return 'the zstd frame has no end';
      if (frames === 0) return 'it is empty';
      if (frames > 1) return `it has ${frames} zstd frames`;
      return rawBytes !== null && contentBytes !== null && contentBytes !== rawBytes
        ? `the zstd frame holds ${contentBytes} bytes, not ${rawBytes}`
        : undefined;
    },
  );
}

const GZIP_EMPTY_BYTES = 20;

function checkGzip(): FormCheck {
  let bytes = 0;
  let head: Buffer = Buffer.alloc(0);
  let tail: Buffer = Buffer.alloc(0);
  return asCheck(
    (chunk) => {
      bytes += chunk.length;
      if (head.length < 2) head = Buffer.concat([head, chunk.subarray(0, 2)]);
      tail = Buffer.from(chunk.length >= 8 ? chunk.subarray(-8) : Buffer.concat([tail, chunk]).subarray(-8));
    },
    (rawBytes) => {
      if (bytes === 0) return 'it is empty';
      if (bytes < 18 || head.readUInt16BE() !== 0x1f8b) return 'the gzip stream has no end';
      if (rawBytes === null && bytes <= GZIP_EMPTY_BYTES && tail.readUInt32LE(4) === 0) return 'it is empty';
      return rawBytes !== null && tail.readUInt32LE(4) !== rawBytes % 2 ** 32
        ? 'the gzip stream has no end'
        : undefined;
    },
  );
}

/** What an empty input becomes; nothing shorter holds anything. */
const EMPTY_BYTES: Readonly<Record<CompressionMethod, number>> = { zstd: 13, gzip: GZIP_EMPTY_BYTES, none: 0 };

/**
 * The check of encrypted bytes: what age's form and length say without a key. Whether the compressed bytes inside are
 * whole is told by the programs that made them.
 */
export function checkEncrypted(method: CompressionMethod): FormCheck {
  const walker = createAgeWalker();
  return asCheck(walker.push, (rawBytes) => {
    const { headerBytes, plainBytes } = walker.outline();
    if (headerBytes === null) return 'the age header has no end';
    if (plainBytes === null) return 'the age stream has no end';
    if (rawBytes === null && plainBytes <= EMPTY_BYTES[method]) return 'it is empty';
    return method === 'none' && rawBytes !== null && plainBytes !== rawBytes
      ? `${plainBytes} of ${rawBytes} bytes arrived`
      : undefined;
  });
}
