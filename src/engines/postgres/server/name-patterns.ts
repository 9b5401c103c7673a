import { quoteIdentifier } from './quote.ts';

/** A pattern of names as pg_dump reads it, as regular expressions for `~`; null where it has no schema. */
export interface NamePattern {
  readonly schema: string | null;
  readonly name: string;
}

/**
 * Reads `app.log_*` and `"Odd Schema"."Table"`: `*` stands for any letters, `?` for one, letters are lower-case unless they
 * stand in double quotes, and what has another meaning in regular expressions means itself.
 */
export function readPattern(text: string): NamePattern {
  const parts: string[] = [''];
  const add = (piece: string): void => {
    parts[parts.length - 1] += piece;
  };
  let isQuoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (character === '"') {
      if (isQuoted && text[at + 1] === '"') {
        add('"');
        at += 1;
      } else isQuoted = !isQuoted;
    } else if (isQuoted) add(escaped(character));
    else if (character === '*') add('.*');
    else if (character === '?') add('.');
    else if (character === '.') parts.push('');
    else add(escaped(character.toLowerCase()));
  }
  const [first = '', ...rest] = parts;
  return rest.length === 0
    ? { schema: null, name: whole(first) }
    : { schema: whole(first), name: whole(rest.join('[.]')) };
}

/** The pattern that means one schema and nothing else. */
export const exactSchema = (schema: string): string => quoteIdentifier(schema);

/** The pattern that means one relation and nothing else. */
export const exactRelation = (schema: string, name: string): string =>
  `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;

const escaped = (character: string): string =>
  /[\w\u0080-\uffff]/.test(character) ? character : `[${ESCAPE[character] ?? character}]`;

/** What a bracket expression does not take as it is. */
const ESCAPE: Readonly<Record<string, string>> = { '\\': '\\\\', ']': '\\]', '[': '\\[', '^': '\\^' };

const whole = (regex: string): string => `^(${regex})$`;
