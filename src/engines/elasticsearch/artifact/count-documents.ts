import { integrityError } from '../../../errors.ts';
import type { RawReader } from '../../engine.ts';

const NEWLINE = 0x0a;

/** Counts the documents of a bulk request: two lines each, the last one ended. */
export function documentCounter(): RawReader & { readonly count: () => number } {
  let lines = 0;
  let isEnded = true;
  const count = (): number => {
    if (!isEnded || lines % 2 !== 0) throw integrityError('cannot trust the documents: they end within one of them');
    return lines / 2;
  };
  return {
    push(chunk) {
      for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, at + 1)) lines += 1;
      if (chunk.length > 0) isEnded = chunk.at(-1) === NEWLINE;
    },
    count,
    end: () => ({ documents: count() }),
  };
}
