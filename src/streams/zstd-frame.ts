const MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;

/** What the headers of a zstd stream say; the payload is not decoded. */
export interface ZstdOutline {
  /** Frames that hold something. Node's compressor may add an empty one at the end, which changes nothing. */
  readonly frames: number;
  /** The stream ends where a frame ends. */
  readonly whole: boolean;
  /** Sum of the content sizes the headers declare; null where one does not. */
  readonly contentBytes: number | null;
}

export interface ZstdWalker {
  push(chunk: Buffer): void;
  outline(): ZstdOutline;
}

interface Need {
  readonly bytes: number;
  readonly read: (header: Buffer) => Need | Skip;
}
interface Skip {
  readonly skip: number;
  readonly next: Need;
}

/**
 * Follows the frame and block headers of a zstd stream (RFC 8878), a few bytes per block. It tells a cut stream and a
 * second frame apart from a whole one, which node:zlib does not on every supported Node.
 */
export function createZstdWalker(): ZstdWalker {
  let begun = 0;
  let frames = 0;
  let isEmptyFrame = true;
  let contentBytes: number | null = 0;
  let broken = false;
  let hasChecksum = false;

  const magic: Need = {
    bytes: 4,
    read: (header) => {
      const value = header.readUInt32LE();
      if ((value & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) return skippableSize;
      if (value !== MAGIC) return giveUp();
      begun += 1;
      isEmptyFrame = true;
      return descriptor;
    },
  };
  const skippableSize: Need = { bytes: 4, read: (header) => ({ skip: header.readUInt32LE(), next: magic }) };
  const descriptor: Need = {
    bytes: 1,
    read: (header) => {
      const flags = header.readUInt8();
      const single = (flags & 0x20) !== 0;
      const sizeBytes = [single ? 1 : 0, 2, 4, 8][flags >> 6] ?? 0;
      const before = (single ? 0 : 1) + ([0, 1, 2, 4][flags & 3] ?? 0);
      hasChecksum = (flags & 4) !== 0;
      if (before + sizeBytes === 0) return block;
      return { bytes: before + sizeBytes, read: (rest) => declare(rest.subarray(before)) };
    },
  };
  const declare = (size: Buffer): Need => {
    if (size.length === 0) contentBytes = null;
    else if (contentBytes !== null) contentBytes += contentSize(size);
    return block;
  };
  const block: Need = {
    bytes: 3,
    read: (header) => {
      const value = header.readUIntLE(0, 3);
      const kind = (value >> 1) & 3;
      if (kind === 3) return giveUp();
      const size = value >> 3;
      if (size > 0 && isEmptyFrame) {
        isEmptyFrame = false;
        frames += 1;
      }
      const isLast = (value & 1) === 1;
      return { skip: kind === 1 ? 1 : size, next: isLast ? (hasChecksum ? checksum : magic) : block };
    },
  };
  const checksum: Need = { bytes: 4, read: () => magic };
  const giveUp = (): Skip => {
    broken = true;
    return { skip: Number.POSITIVE_INFINITY, next: magic };
  };

  let need = magic;
  let skip = 0;
  let pending: Buffer = Buffer.alloc(0);

  return {
    push(chunk) {
      let rest = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      for (;;) {
        if (skip >= rest.length) {
          skip -= rest.length;
          pending = Buffer.alloc(0);
          return;
        }
        rest = rest.subarray(skip);
        skip = 0;
        if (rest.length < need.bytes) {
          pending = Buffer.from(rest);
          return;
        }
        const step = need.read(rest.subarray(0, need.bytes));
        rest = rest.subarray(need.bytes);
        if ('skip' in step) {
          skip = step.skip;
          need = step.next;
        } else need = step;
        if (rest.length === 0 && skip === 0) {
          pending = Buffer.alloc(0);
          return;
        }
      }
    },
    outline: () => ({
      frames,
      whole: !broken && begun > 0 && need === magic && skip === 0 && pending.length === 0,
      contentBytes: broken ? null : contentBytes,
    }),
  };
}

function contentSize(field: Buffer): number {
  switch (field.length) {
    case 1:
      return field.readUInt8();
    case 2:
      return field.readUInt16LE() + 256;
    case 4:
      return field.readUInt32LE();
    default:
      return Number(field.readBigUInt64LE());
  }
}
