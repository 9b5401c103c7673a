import type { Readable } from 'node:stream';
import type { ProcessEnd, ProcessSpec } from '../context.ts';

/** What the end of a producer means. `retry` asks for one more capture from the start; its warnings stand if that is used up. */
export type Judgement =
  | { readonly verdict: 'ok'; readonly warnings: readonly string[] }
  | { readonly verdict: 'retry'; readonly warnings: readonly string[] }
  | { readonly verdict: 'failed'; readonly reason: string; readonly hint?: string };

/** Where raw bytes come from, as plain data; `streams/` moves them by the shortest way. */
export type ByteSource =
  /** A program that writes the artifact to its stdout. Without `judge`, anything but exit 0 is a failure. */
  | { readonly kind: 'process'; readonly process: ProcessSpec; readonly judge?: (end: ProcessEnd) => Judgement }
  /** A finished file that nobody changes any more. */
  | { readonly kind: 'file'; readonly path: string }
  /** Bytes that begin in Node. */
  | { readonly kind: 'stream'; open(): Readable };

/** Where decoded bytes of an artifact go. */
export type ByteSink =
  /** A program that reads the artifact from its stdin. Anything but exit 0 is a failure unless `judge` says otherwise. */
  | { readonly kind: 'process'; readonly process: ProcessSpec; readonly judge?: (end: ProcessEnd) => Judgement }
  /** A new file, created exclusively with mode 0600, synced to disk. */
  | { readonly kind: 'file'; readonly path: string }
  /** Code in Node that reads to the end. */
  | { readonly kind: 'reader'; read(raw: Readable): Promise<void> };

/** One of many files that an artifact lists: a line of it as JSON, in which whoever made it keeps more of its own. */
export interface ListedFile {
  /** What it is; the lines stand in the order of the bytes of their keys. */
  readonly key: string;
  /** Its name in the folder of the artifact. */
  readonly entry: string;
  readonly bytes: number;
  readonly sha256: string;
}

export type CompressionMethod = 'zstd' | 'gzip' | 'none';

export interface Compression {
  readonly method: CompressionMethod;
  readonly level: number;
}
