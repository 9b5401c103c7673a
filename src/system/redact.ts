const MASK = '***';
const SHORTEST_SECRET = 8;
const MOST_LINES = 100;

/** Replaces known secret values in text that other programs wrote. */
export interface Redactor {
  register(values: readonly string[]): void;
  redact(text: string): string;
}

/** Values shorter than 8 characters are not replaced: they would mask ordinary words. */
export function createRedactor(initial: readonly string[] = []): Redactor {
  const known = new Set<string>();
  let longestFirst: readonly string[] = [];
  const register = (values: readonly string[]): void => {
    for (const value of values.flatMap(withLines)) {
      if (value.length < SHORTEST_SECRET) continue;
      known.add(value);
      known.add(encodeURIComponent(value));
      known.add(JSON.stringify(value).slice(1, -1));
    }
    longestFirst = [...known].toSorted((a, b) => b.length - a.length);
  };
  register(initial);
  return {
    register,
    redact: (text) => longestFirst.reduce((clean, secret) => clean.replaceAll(secret, MASK), text),
  };
}

/** A program may say only some lines of a secret, or break them in its own way. */
function withLines(value: string): readonly string[] {
  return [value, ...value.split(/\r?\n/).map((line) => line.trim())];
}

/** The last lines of a program's stderr, freed of data rows and known secrets. */
export function cleanStderr(text: string, redactor: Redactor): string {
  return redactor
    .redact(text)
    .split(/\r?\n/)
    .filter((line) => !/^\s*(INSERT\b|\()/i.test(line) && line.trim() !== '')
    .slice(-MOST_LINES)
    .join('\n');
}
