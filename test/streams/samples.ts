import type { ManifestArtifact } from '../../src/snapshots/manifest.ts';
import type { CompressionMethod } from '../../src/streams/bytes.ts';
import type { StoredArtifact } from '../../src/streams/store-artifact.ts';

/** Bytes that compress somewhat and never repeat exactly; the same every time. */
export function sampleBytes(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = 12345;
  for (let at = 0; at < length; at += 1) {
    state = (state * 1103515245 + 12345) % 2147483648;
    bytes[at] = at % 3 === 0 ? state >> 16 : 65 + (at % 7);
  }
  return bytes;
}

/** The manifest's entry for something stored. */
export function artifactOf(
  stored: Pick<StoredArtifact, 'rawBytes' | 'storedBytes' | 'storedSha256'>,
  method: CompressionMethod,
): ManifestArtifact {
  return {
    key: 'b',
    name: '',
    format: 'raw',
    compression: method === 'none' ? null : method,
    encryption: null,
    rawBytes: stored.rawBytes,
    storedBytes: stored.storedBytes,
    storedSha256: stored.storedSha256,
  };
}
