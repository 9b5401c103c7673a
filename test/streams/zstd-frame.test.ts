import { execFileSync } from 'node:child_process';
import { constants, zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { createZstdWalker, type ZstdOutline } from '../../src/streams/zstd-frame.ts';
import { sampleBytes } from './samples.ts';

function outlineOf(bytes: Buffer, chunkBytes: number = bytes.length): ZstdOutline {
  const walker = createZstdWalker();
  for (let at = 0; at < bytes.length; at += chunkBytes) walker.push(bytes.subarray(at, at + chunkBytes));
  return walker.outline();
}

const checked = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };
const zstd = (input: Buffer, ...flags: string[]): Buffer => execFileSync('zstd', ['-qc', ...flags], { input });

test.each([
  ['node', (raw: Buffer): Buffer => zstdCompressSync(raw)],
  ['node with a checksum', (raw: Buffer): Buffer => zstdCompressSync(raw, checked)],
  ['zstd', (raw: Buffer): Buffer => zstd(raw)],
  ['zstd with two threads', (raw: Buffer): Buffer => zstd(raw, '-T2')],
  ['zstd without a checksum', (raw: Buffer): Buffer => zstd(raw, '--no-check')],
])('a frame of %s is whole, and no cut of it is', (_, compress) => {
  for (const raw of [
    Buffer.from('x'),
    sampleBytes(1000),
    sampleBytes(70_000),
    sampleBytes(700_000),
    Buffer.alloc(300_000),
  ]) {
    const frame = compress(raw);
    expect(outlineOf(frame)).toMatchObject({ whole: true, frames: 1 });
    expect(outlineOf(frame, 1)).toEqual(outlineOf(frame));
    expect([raw.length, null]).toContain(outlineOf(frame).contentBytes);
    for (const cut of [1, 4, 5, Math.floor(frame.length / 2), frame.length - 1]) {
      expect(outlineOf(frame.subarray(0, frame.length - cut)).whole).toBe(false);
    }
  }
});

test('the declared size is read in each of its widths', () => {
  for (const length of [1, 255, 256, 65_791, 65_792, 200_000]) {
    const frame = zstd(sampleBytes(length), `--stream-size=${length}`);
    expect(outlineOf(frame).contentBytes).toBe(length);
  }
});

test('several frames, empty ones, skippable ones and rubbish are told apart', () => {
  const frame = zstd(sampleBytes(5000));
  const empty = zstd(Buffer.alloc(0));
  const skippable = Buffer.from([0x51, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
  expect(outlineOf(Buffer.concat([frame, frame]))).toMatchObject({ whole: true, frames: 2 });
  expect(outlineOf(Buffer.concat([frame, empty]))).toMatchObject({ whole: true, frames: 1 });
  expect(outlineOf(empty)).toMatchObject({ whole: true, frames: 0 });
  expect(outlineOf(Buffer.concat([skippable, frame]))).toMatchObject({ whole: true, frames: 1 });
  expect(outlineOf(Buffer.concat([frame, Buffer.from('rubbish')])).whole).toBe(false);
  expect(outlineOf(Buffer.from('rubbish')).whole).toBe(false);
  expect(outlineOf(Buffer.alloc(0)).whole).toBe(false);
});
