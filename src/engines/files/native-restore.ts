import type { TargetOf } from '../engine.ts';
import { HAND_OPTIONS } from './tar-argv.ts';

/** The command that restores an archive without bkp, run as root for the owners; `decode` writes the archive to stdout. */
export const nativeRestore = (target: TargetOf<'files'>, artifact: { readonly decode: string }): string =>
  `${artifact.decode} | tar ${HAND_OPTIONS} -C ${quoteWord(target.root ?? '/')} -f -`;

/** A word for a shell. */
const quoteWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
