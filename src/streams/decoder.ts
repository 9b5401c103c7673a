import { PassThrough, type Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { Context, ProcessSpec } from '../context.ts';
import { integrityError } from '../errors.ts';
import type { ManifestArtifact } from '../snapshots/manifest.ts';
import { createZstdWalker } from './zstd-frame.ts';

/** How stored bytes are decoded here: by a program in the pipe, inside Node, or not at all. */
export type Decoder =
  | { readonly kind: 'program'; readonly process: ProcessSpec }
  /** `assertWhole` tells, at the end, whether Node's decoder can have seen everything. */
  | {
      readonly kind: 'transform';
      open(): { readonly transform: Transform; see(stored: Buffer): void; assertWhole(): void };
    }
  | { readonly kind: 'none' };

export function chooseDecoder(compression: ManifestArtifact['compression'], context: Context): Decoder {
  if (compression === null) return { kind: 'none' };
  if (context.findTool(compression) !== undefined) {
    return { kind: 'program', process: { argv: [compression, '-dc', '-q'] } };
  }
  if (compression === 'gzip') {
    return {
      kind: 'transform',
      open: () => ({ transform: createGunzip(), see: () => undefined, assertWhole: () => undefined }),
    };
  }
  return { kind: 'transform', open: openZstdInNode };
}

/** Node before 26 drops every frame after the first, and before 24 takes a cut one for whole: the headers decide. */
function openZstdInNode(): { readonly transform: Transform; see(stored: Buffer): void; assertWhole(): void } {
  const walker = createZstdWalker();
  return {
    transform: createZstdDecompress(),
    see: (stored) => walker.push(stored),
    assertWhole() {
      const { frames, whole } = walker.outline();
      if (!whole) throw integrityError('cannot decode zstd: the frame has no end');
      if (frames > 1) {
        throw integrityError(`cannot decode zstd: ${frames} frames, and Node reads one`, {
          hint: 'install the zstd program',
        });
      }
    },
  };
}

/** A decoder that changes nothing. */
export const passThrough = (): Transform => new PassThrough({ highWaterMark: 256 * 1024 });
