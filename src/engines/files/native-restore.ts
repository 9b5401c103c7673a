import type { TargetOf } from '../engine.ts';
import { shellQuote } from '../shell-quote.ts';
import { HAND_OPTIONS } from './tar-argv.ts';

/** The command that restores an archive without bkp, run as root for the owners; `decode` writes the archive to stdout. */
export const nativeRestore = (target: TargetOf<'files'>, artifact: { readonly decode: string }): string =>
  `${artifact.decode} | tar ${HAND_OPTIONS} -C ${shellQuote(target.root ?? '/')} -f -`;
