import { targetError } from '../../errors.ts';
import { type ByteName, quoteName, toText } from './byte-name.ts';

/** A path as an argument of a program; arguments are UTF-8 text here. */
export function toolPath(path: ByteName): string {
  const text = toText(path);
  if (text !== null) return text;
  throw targetError(`cannot restore into ${quoteName(path)}: its path is not UTF-8`, {
    hint: 'restore elsewhere with `--into root=…`',
  });
}
