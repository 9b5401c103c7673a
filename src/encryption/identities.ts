import { reasonOf, usageError } from '../errors.ts';

/** The private keys a run was given to open what is encrypted. */
export interface Identities {
  /** Absolute paths, for the age program. */
  readonly files: readonly string[];
  /** The native keys in them (`AGE-SECRET-KEY-1…`), for the library. Secret. */
  readonly keys: readonly string[];
  /** Some file holds another kind of key, which only the age program reads. */
  readonly hasOthers: boolean;
}

/** Reads identity files, so that a missing or foreign one is told before anything else happens. Throws `usage`. */
export function readIdentities(files: readonly string[], readFile: (path: string) => string): Identities {
  const contents = files.map((path) => ({ path, text: textOf(path, readFile) }));
  const found = contents.map(({ path, text }) => ({ keys: keysIn(text), isOther: isOther(text), path }));
  const unusable = found.find(({ keys, isOther: other }) => keys.length === 0 && !other);
  if (unusable !== undefined) {
    throw usageError(`cannot use identity ${unusable.path}: it holds no private key of age or SSH`, {
      hint: '`bkp keygen age` makes one; a public key (age1…) opens nothing',
    });
  }
  return { files, keys: found.flatMap(({ keys }) => keys), hasOthers: found.some((one) => one.isOther) };
}

function textOf(path: string, readFile: (path: string) => string): string {
  try {
    return readFile(path);
  } catch (error) {
    throw usageError(`cannot read identity ${path}: ${reasonOf(error).replace(/, open .*$/, '')}`, { cause: error });
  }
}

const keysIn = (text: string): readonly string[] =>
  text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => /^AGE-SECRET-KEY-1[0-9A-Z]{58}$/.test(line));

/** An SSH key, or an identity of age under a passphrase or of a plugin. */
const isOther = (text: string): boolean =>
  /^-----BEGIN (?:[A-Z ]+ )?PRIVATE KEY-----|^age-encryption\.org\/v1|^-----BEGIN AGE ENCRYPTED FILE-----|^AGE-PLUGIN-/m.test(
    text,
  );
