import { createHash } from 'node:crypto';

/** SHA-256 over a long row of small and large pieces, without a call per piece. */
export interface HashSink {
  /** One byte per character. */
  text(text: string): void;
  bytes(bytes: Buffer): void;
  /** Hex; call it once, at the end. */
  digest(): string;
}

const BATCH_BYTES = 64 * 1024;

export function createHashSink(): HashSink {
  const hash = createHash('sha256');
  const batch = Buffer.allocUnsafe(BATCH_BYTES);
  let held = 0;
  const flush = (): void => {
    if (held > 0) hash.update(batch.subarray(0, held));
    held = 0;
  };
  const bytes = (piece: Buffer): void => {
    if (held + piece.length > BATCH_BYTES) flush();
    if (piece.length > BATCH_BYTES / 4) {
      flush();
      hash.update(piece);
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
      return hash.digest('hex');
    },
  };
}
