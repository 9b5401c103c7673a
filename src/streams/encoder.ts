import type { Cipher } from '../encryption/cipher.ts';
import type { Compressor } from './compressor.ts';
import type { Stage } from './pipe-programs.ts';

/** How raw bytes become stored ones here: compressed, then encrypted. */
export interface Encoder {
  /** Programs in the pipe that come first; nothing of this process is between them. */
  readonly programs: readonly Stage[];
  /** The compression inside Node, where no program does it. */
  readonly transform: Extract<Compressor, { kind: 'transform' }> | undefined;
  /** The encryption of what comes out of Node. */
  readonly encryption: Cipher | undefined;
}

/** Puts as much as possible into the pipe. */
export function chooseEncoder(compressor: Compressor, encryption: Cipher | undefined): Encoder {
  const compressing = compressor.kind === 'program' ? [compressor.program] : [];
  const transform = compressor.kind === 'transform' ? compressor : undefined;
  if (encryption?.kind !== 'program' || transform !== undefined)
    return { programs: compressing, transform, encryption };
  return {
    programs: [...compressing, { process: encryption.process, verb: 'encrypt' }],
    transform,
    encryption: undefined,
  };
}
