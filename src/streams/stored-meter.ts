import { createHash } from 'node:crypto';
import { integrityError } from '../errors.ts';
import type { CompressionMethod } from './bytes.ts';
import { createZstdWalker } from './zstd-frame.ts';

/** Counts and hashes stored bytes as they pass, and knows whether the compression's own end mark came. */
export interface StoredMeter {
  push(chunk: Buffer): void;
  readonly bytes: number;
  /** Throws `integrity` unless the bytes are whole, not empty and agree with the raw count (null: not counted). */
  assertWhole(subject: string, rawBytes: number | null): void;
  /** Hex SHA-256; call it once, at the end. */
  sha256(): string;
}

const GZIP_EMPTY_BYTES = 20;

export function createStoredMeter(method: CompressionMethod): StoredMeter {
  const hash = createHash('sha256');
  const zstd = method === 'zstd' ? createZstdWalker() : undefined;
  let bytes = 0;
  let head: Buffer = Buffer.alloc(0);
  let tail: Buffer = Buffer.alloc(0);
  const describeGap = (rawBytes: number | null): string | undefined => {
    if (bytes === 0 || rawBytes === 0) return 'it is empty';
    if (zstd !== undefined) {
      const { whole, frames, contentBytes } = zstd.outline();
      if (!whole) return 'the zstd frame has no end';
      if (frames === 0) return 'it is empty';
      if (frames > 1) return `it has ${frames} zstd frames`;
      if (rawBytes !== null && contentBytes !== null && contentBytes !== rawBytes) {
        return `the zstd frame holds ${contentBytes} bytes, not ${rawBytes}`;
      }
    }
    if (method === 'gzip') {
      if (bytes < 18 || head.readUInt16BE() !== 0x1f8b) return 'the gzip stream has no end';
      if (rawBytes === null && bytes <= GZIP_EMPTY_BYTES && tail.readUInt32LE(4) === 0) return 'it is empty';
      if (rawBytes !== null && tail.readUInt32LE(4) !== rawBytes % 2 ** 32) return 'the gzip stream has no end';
    }
    if (method === 'none' && rawBytes !== null && rawBytes !== bytes) return `${bytes} of ${rawBytes} bytes arrived`;
    return undefined;
  };
  return {
    get bytes() {
      return bytes;
    },
    push(chunk) {
      hash.update(chunk);
      bytes += chunk.length;
      zstd?.push(chunk);
      if (method !== 'gzip') return;
      if (head.length < 2) head = Buffer.concat([head, chunk.subarray(0, 2)]);
      tail = Buffer.from(chunk.length >= 8 ? chunk.subarray(-8) : Buffer.concat([tail, chunk]).subarray(-8));
    },
    assertWhole(subject, rawBytes) {
      const gap = describeGap(rawBytes);
      if (gap !== undefined) throw integrityError(`cannot store ${subject}: ${gap}`);
    },
    sha256: () => hash.digest('hex'),
  };
}
