import { createCipheriv, createHash } from 'node:crypto';

/** A digest over a long row of small and large pieces, without a call per piece. */
export interface HashSink {
  /** One byte per character. */
  text(text: string): void;
  bytes(bytes: Buffer): void;
  /** Hex; call it once, at the end. */
  digest(): string;
}

const BATCH_BYTES = 64 * 1024;

/** SHA-256. */
export function createHashSink(): HashSink {
  const hash = createHash('sha256');
  return batched(
    (bytes) => hash.update(bytes),
    () => hash.digest('hex'),
  );
}

/**
 * GMAC under a fixed key: a checksum of 128 bits, five to fifteen times as fast as SHA-256, which would be the largest
 * part of what reading a capture costs. It finds accidents; against intent stands the SHA-256 of the stored bytes.
 */
export function createChecksumSink(): HashSink {
  const cipher = createCipheriv('aes-128-gcm', 'bkp tree digest!', Buffer.alloc(12));
  return batched(
    (bytes) => cipher.setAAD(bytes),
    () => {
      cipher.final();
      return cipher.getAuthTag().toString('hex');
    },
  );
}

function batched(update: (bytes: Buffer) => void, digest: () => string): HashSink {
  const batch = Buffer.allocUnsafe(BATCH_BYTES);
  let held = 0;
  const flush = (): void => {
    if (held > 0) update(batch.subarray(0, held));
    held = 0;
  };
  const bytes = (piece: Buffer): void => {
    if (held + piece.length > BATCH_BYTES) flush();
    if (piece.length > BATCH_BYTES / 4) {
      flush();
      update(piece);
    } else {
      piece.copy(batch, held);
      held += piece.length;
    }
  };
  return {
    bytes,
    text(text) {
      if (text.length > BATCH_BYTES / 4) {
        bytes(Buffer.from(text, 'latin1'));
        return;
      }
      if (held + text.length > BATCH_BYTES) flush();
      held += batch.write(text, held, 'latin1');
    },
    digest() {
      flush();
      return digest();
    },
  };
}
