/** The polynomial of Jones, bits reversed, as two halves: what Redis and Valkey end their dumps with. */
const POLYNOMIAL = { high: 0x95ac9329, low: 0xac4bc9b5 } as const;
const SLICES = 8;

const LOW = new Int32Array(SLICES * 256);
const HIGH = new Int32Array(SLICES * 256);
for (let byte = 0; byte < 256; byte += 1) {
  let low = byte;
  let high = 0;
  for (let bit = 0; bit < 8; bit += 1) {
    const carry = low & 1;
    low = (low >>> 1) | (high << 31);
    high >>>= 1;
    if (carry === 1) {
      low ^= POLYNOMIAL.low;
      high ^= POLYNOMIAL.high;
    }
  }
  LOW[byte] = low;
  HIGH[byte] = high;
}
for (let at = 256; at < SLICES * 256; at += 1) {
  const low = LOW[at - 256] ?? 0;
  const high = HIGH[at - 256] ?? 0;
  const byte = low & 0xff;
  LOW[at] = ((low >>> 8) | (high << 24)) ^ (LOW[byte] ?? 0);
  HIGH[at] = (high >>> 8) ^ (HIGH[byte] ?? 0);
}

/** A running CRC64; its eight bytes stand low byte first in a dump. */
export interface Crc64 {
  add(bytes: Uint8Array, from?: number, to?: number): void;
  /** The sum of everything added so far. */
  bytes(): Buffer;
}

/** Starts a CRC64 at zero. */
export function openCrc64(): Crc64 {
  let low = 0;
  let high = 0;
  return {
    add(bytes, from = 0, to = bytes.length) {
      let at = from;
      for (const end = to - 7; at < end; at += 8) {
        const x = low ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24));
        const y = high ^ (bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24));
        const a = 1792 + (x & 255);
        const b = 1536 + ((x >>> 8) & 255);
        const c = 1280 + ((x >>> 16) & 255);
        const d = 1024 + (x >>> 24);
        const e = 768 + (y & 255);
        const f = 512 + ((y >>> 8) & 255);
        const g = 256 + ((y >>> 16) & 255);
        const h = y >>> 24;
        low = LOW[a]! ^ LOW[b]! ^ LOW[c]! ^ LOW[d]! ^ LOW[e]! ^ LOW[f]! ^ LOW[g]! ^ LOW[h]!;
        high = HIGH[a]! ^ HIGH[b]! ^ HIGH[c]! ^ HIGH[d]! ^ HIGH[e]! ^ HIGH[f]! ^ HIGH[g]! ^ HIGH[h]!;
      }
      for (; at < to; at += 1) {
        const byte = (low ^ bytes[at]!) & 255;
        low = ((low >>> 8) | (high << 24)) ^ LOW[byte]!;
        high = (high >>> 8) ^ HIGH[byte]!;
      }
    },
    bytes() {
      const sum = Buffer.alloc(8);
      sum.writeInt32LE(low, 0);
      sum.writeInt32LE(high, 4);
      return sum;
    },
  };
}
