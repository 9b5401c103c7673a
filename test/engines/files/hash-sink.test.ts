import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createChecksumSink, createHashSink, type HashSink } from '../../../src/engines/files/hash-sink.ts';

const noise = randomBytes(400_000);
const digestOf = (make: () => HashSink, ...pieces: readonly (Buffer | string)[]): string => {
  const sink = make();
  for (const piece of pieces) {
    if (typeof piece === 'string') sink.text(piece);
    else sink.bytes(piece);
  }
  return sink.digest();
};

describe.each([
  ['SHA-256', createHashSink],
  ['the checksum', createChecksumSink],
])('%s', (_, make) => {
  test('does not depend on how the bytes are cut', () => {
    const whole = digestOf(make, noise);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: noise.length }), { maxLength: 12 }), (cuts) => {
        const edges = [0, ...cuts.toSorted((a, b) => a - b), noise.length];
        const pieces = edges.slice(1).map((edge, index) => noise.subarray(edges[index], edge));
        expect(digestOf(make, ...pieces)).toBe(whole);
        expect(digestOf(make, ...pieces.map((piece) => piece.toString('latin1')))).toBe(whole);
      }),
      { numRuns: 50, seed: 13 },
    );
  });

  test('changes with any byte, with its place, and with zeros at the end', () => {
    const short = noise.subarray(0, 1000);
    const seen = new Set([
      digestOf(make, short),
      digestOf(make, short, Buffer.alloc(1)),
      digestOf(make, Buffer.alloc(1), short),
    ]);
    for (let at = 0; at < short.length; at++) {
      const changed = Buffer.from(short);
      changed[at] = (changed[at] as number) ^ 1;
      seen.add(digestOf(make, changed));
    }
    expect(seen.size).toBe(1003);
    expect(digestOf(make)).not.toBe(digestOf(make, Buffer.alloc(16)));
  });
});

test('SHA-256 is the one everybody knows', () => {
  expect(digestOf(createHashSink, noise)).toBe(createHash('sha256').update(noise).digest('hex'));
});
