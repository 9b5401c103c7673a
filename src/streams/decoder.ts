import { PassThrough, type Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { Context, ProcessEnd } from '../context.ts';
import { type Cipher, chooseDecryption, saysWrongIdentity } from '../encryption/cipher.ts';
import { integrityError, targetError, usageError } from '../errors.ts';
import type { ManifestArtifact } from '../snapshots/manifest.ts';
import type { Stage } from './pipe-programs.ts';
import { createZstdWalker } from './zstd-frame.ts';

/** How stored bytes become raw ones here: decrypted, then decompressed. */
export interface Decoder {
  /** The decryption inside Node, before all else. */
  readonly decryption: Extract<Cipher, { kind: 'library' }> | undefined;
  /** Programs in the pipe; nothing of this process is between them. */
  readonly programs: readonly Stage[];
  /** The decompression inside Node, after all else. */
  readonly transform: NodeDecoder | undefined;
}

/** For bytes that are stored as they are. */
export const PLAIN: Decoder = { decryption: undefined, programs: [], transform: undefined };

/** `assertWhole` tells, at the end, whether Node's decoder can have seen everything. */
export interface NodeDecoder {
  open(): { readonly transform: Transform; see(stored: Buffer): void; assertWhole(): void };
}

/** Puts as much as possible into the pipe. Throws `usage` where an identity is needed and none was given. */
export function chooseDecoder(
  { compression, encryption }: Pick<ManifestArtifact, 'compression' | 'encryption'>,
  key: string,
  context: Context,
): Decoder {
  const cipher = encryption === null ? undefined : chooseDecryption(key, context);
  const decrypting = cipher?.kind === 'program' ? [{ process: cipher.process, verb: `decrypt ${key}`, makeError }] : [];
  const isProgram = compression !== null && context.findTool(compression) !== undefined;
  return {
    decryption: cipher?.kind === 'library' ? cipher : undefined,
    programs: isProgram
      ? [...decrypting, { process: { argv: [compression, '-dc', '-q'] }, verb: `decode ${key}`, makeError }]
      : decrypting,
    transform: isProgram ? undefined : nodeDecoder(compression),
  };
}

/** A decoder that fails has bad input, unless it says that it could not write or had the wrong key. */
function makeError({ stderr }: ProcessEnd): typeof integrityError {
  if (saysWrongIdentity(stderr)) return usageError;
  return /write error|no space left|file too large/i.test(stderr) ? targetError : integrityError;
}

function nodeDecoder(compression: ManifestArtifact['compression']): NodeDecoder | undefined {
  if (compression === null) return undefined;
  if (compression === 'zstd') return { open: openZstdInNode };
  return { open: () => ({ transform: createGunzip(), see: () => undefined, assertWhole: () => undefined }) };
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
