/** A checksum of 64 bits, bit-reversed: its polynomial in two halves, and whether it begins and ends with all bits turned. */
export interface Crc64Kind {
  readonly high: number;
  readonly low: number;
  readonly isInverted: boolean;
}

/** The polynomial of ECMA-182, as mongodump writes it. */
export const ECMA: Crc64Kind = { high: 0xc96c5795, low: 0xd7870f42, isInverted: true };
/** The polynomial of Jones: what Redis and Valkey end their dumps with. */
export const JONES: Crc64Kind = { high: 0x95ac9329, low: 0xac4bc9b5, isInverted: false };

export interface Crc64 {
  update(bytes: Uint8Array, from?: number, to?: number): void;
  /** The checksum of what passed, as an unsigned number of 64 bits. */
  value(): bigint;
}

/** The same as it stands in a file: eight bytes, the lowest first. */
export function bytesOf(crc: Crc64): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(crc.value());
  return bytes;
}

const SLICES = 8;

interface Tables {
  readonly high: Int32Array;
  readonly low: Int32Array;
}

/** One table for each of eight bytes that are taken at once. */
function makeTables(kind: Crc64Kind): Tables {
  const high = new Int32Array(SLICES * 256);
  const low = new Int32Array(SLICES * 256);
  for (let byte = 0; byte < 256; byte += 1) {
    let [upper, lower] = [0, byte];
    for (let bit = 0; bit < 8; bit += 1) {
      const isOdd = (lower & 1) === 1;
      lower = (lower >>> 1) | (upper << 31);
      upper >>>= 1;
      if (isOdd) [upper, lower] = [upper ^ kind.high, lower ^ kind.low];
    }
    high[byte] = upper;
    low[byte] = lower;
  }
  for (let at = 256; at < SLICES * 256; at += 1) {
    const [upper = 0, lower = 0] = [high[at - 256], low[at - 256]];
    const next = lower & 0xff;
    high[at] = (upper >>> 8) ^ (high[next] ?? 0);
    low[at] = ((lower >>> 8) | (upper << 24)) ^ (low[next] ?? 0);
  }
  return { high, low };
}

const made = new Map<Crc64Kind, Tables>();

function tablesOf(kind: Crc64Kind): Tables {
  const known = made.get(kind);
  if (known !== undefined) return known;
  const tables = makeTables(kind);
  made.set(kind, tables);
  return tables;
}

/** Starts a checksum. Eight bytes are taken at once, in two halves, so that no number outgrows 32 bits. */
export function createCrc64(kind: Crc64Kind): Crc64 {
  const { high, low } = tablesOf(kind);
  const mask = kind.isInverted ? ~0 : 0;
  let [upper, lower] = [mask, mask];
  return {
    update(bytes, from = 0, to = bytes.length) {
      let [a, b] = [upper, lower];
      let at = from;
      for (const end = to - 7; at < end; at += 8) {
        const x =
          b ^
          ((bytes[at] as number) |
            ((bytes[at + 1] as number) << 8) |
            ((bytes[at + 2] as number) << 16) |
            ((bytes[at + 3] as number) << 24));
        const y =
          a ^
          ((bytes[at + 4] as number) |
            ((bytes[at + 5] as number) << 8) |
            ((bytes[at + 6] as number) << 16) |
            ((bytes[at + 7] as number) << 24));
        const i0 = 1792 + (x & 0xff);
        const i1 = 1536 + ((x >>> 8) & 0xff);
        const i2 = 1280 + ((x >>> 16) & 0xff);
        const i3 = 1024 + (x >>> 24);
        const i4 = 768 + (y & 0xff);
        const i5 = 512 + ((y >>> 8) & 0xff);
        const i6 = 256 + ((y >>> 16) & 0xff);
        const i7 = y >>> 24;
        a =
          (high[i0] as number) ^
          (high[i1] as number) ^
          (high[i2] as number) ^
          (high[i3] as number) ^
          (high[i4] as number) ^
          (high[i5] as number) ^
          (high[i6] as number) ^
          (high[i7] as number);
        b =
          (low[i0] as number) ^
          (low[i1] as number) ^
          (low[i2] as number) ^
          (low[i3] as number) ^
          (low[i4] as number) ^
          (low[i5] as number) ^
          (low[i6] as number) ^
          (low[i7] as number);
      }
      for (; at < to; at += 1) {
        const index = (b ^ (bytes[at] as number)) & 0xff;
        b = ((b >>> 8) | (a << 24)) ^ (low[index] as number);
        a = (a >>> 8) ^ (high[index] as number);
      }
      [upper, lower] = [a, b];
    },
    value: () => (BigInt((upper ^ mask) >>> 0) << 32n) | BigInt((lower ^ mask) >>> 0),
  };
}
