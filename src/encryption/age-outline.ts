const CHUNK_BYTES = 64 * 1024;
const TAG_BYTES = 16;
const NONCE_BYTES = 16;
const LONGEST_HEADER = 64 * 1024;

/** What the form of an age file says without any key. */
export interface AgeOutline {
  /** Null until the end of the header was seen. */
  readonly headerBytes: number | null;
  /** Bytes inside, by the size of the payload; null where no age file can have that size. */
  readonly plainBytes: number | null;
}

export interface AgeWalker {
  readonly push: (chunk: Buffer) => void;
  outline(): AgeOutline;
}

/** Follows an age file from outside: the header in full, of the payload only how long it is. */
export function createAgeWalker(): AgeWalker {
  let bytes = 0;
  let head: Buffer = Buffer.alloc(0);
  let headerBytes: number | null = null;
  return {
    push(chunk) {
      bytes += chunk.length;
      if (headerBytes !== null || head.length > LONGEST_HEADER) return;
      head = Buffer.concat([head, chunk.subarray(0, LONGEST_HEADER)]);
      const text = head.toString('latin1');
      const end = /^age-encryption\.org\/v1\n(?:[^\0]*?\n)?--- [A-Za-z0-9+/]{43}\n/.exec(text);
      if (end !== null) headerBytes = end[0].length;
    },
    outline: () => ({ headerBytes, plainBytes: headerBytes === null ? null : plainSize(bytes - headerBytes) }),
  };
}

function plainSize(payloadBytes: number): number | null {
  const sealed = payloadBytes - NONCE_BYTES;
  if (sealed < TAG_BYTES) return null;
  const chunks = Math.ceil(sealed / (CHUNK_BYTES + TAG_BYTES));
  const plain = sealed - chunks * TAG_BYTES;
  const isLastEmpty = chunks > 1 && plain <= (chunks - 1) * CHUNK_BYTES;
  return isLastEmpty ? null : plain;
}
