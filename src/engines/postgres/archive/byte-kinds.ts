/** What a byte outside of quotes means to the reader of SQL. */
export const BYTE = {
  newline: 10,
  doubleQuote: 34,
  dollar: 36,
  quote: 39,
  star: 42,
  dash: 45,
  slash: 47,
  semicolon: 59,
  backslash: 92,
} as const;

const WORD = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x80 || /[A-Za-z0-9_]/.test(String.fromCodePoint(byte)) ? 1 : 0,
);

/** Part of a name, a keyword or a number. */
export const isWordByte = (byte: number): boolean => WORD[byte] === 1;

export const isSpace = (byte: number): boolean => byte === 32 || (byte >= 9 && byte <= 13);

/** The prefix of a text in which a backslash escapes: `E'…'`. */
export const isEscapePrefix = (byte: number): boolean => byte === 0x45 || byte === 0x65;
