import type { Transform } from 'node:stream';
import { constants, createGzip, createZstdCompress } from 'node:zlib';
import type { Context } from '../context.ts';
import type { Compression } from './bytes.ts';
import type { Stage } from './pipe-programs.ts';

/** How bytes are compressed here: by a program in the pipe, inside Node, or not at all. */
export type Compressor =
  | { readonly kind: 'program'; readonly program: Stage }
  | { readonly kind: 'transform'; open(): Transform }
  | { readonly kind: 'none' };

/**
 * Chooses the fastest way this machine has. `rawBytes`, where it is known, goes into the zstd frame header, so that a
 * decoder can check it.
 */
export function chooseCompressor(
  compression: Compression,
  options: { readonly threads: number; readonly rawBytes: number | null },
  context: Context,
): Compressor {
  const { method, level } = compression;
  if (method === 'none') return { kind: 'none' };
  if (method === 'gzip') {
    if (context.findTool('gzip') !== undefined) {
      return program(['gzip', '-c', '-n', `-${level}`]);
    }
    return { kind: 'transform', open: () => createGzip({ level }) };
  }
  if (context.findTool('zstd') !== undefined) {
    const size = options.rawBytes === null ? [] : [`--stream-size=${options.rawBytes}`];
    const ultra = level > 19 ? ['--ultra'] : [];
    return program(['zstd', '-q', '-c', '--check', ...ultra, `-${level}`, `-T${options.threads}`, ...size]);
  }
  // Never nbWorkers: every supported Node crashes with it on large input.
  return {
    kind: 'transform',
    open: () =>
      createZstdCompress({
        params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 },
        ...(options.rawBytes === null ? {} : { pledgedSrcSize: options.rawBytes }),
      }),
  };
}

const program = (argv: readonly [string, ...string[]]): Compressor => ({
  kind: 'program',
  program: { process: { argv }, verb: 'compress' },
});
