/** An identifier for SQL text, always quoted. */
export const quoteIdentifier = (name: string): string => `\`${name.replaceAll('`', '``')}\``;

/** A table of a database for SQL text. */
export const qualified = (database: string, name: string): string =>
  `${quoteIdentifier(database)}.${quoteIdentifier(name)}`;

/** A text for SQL text, under any `sql_mode`. */
export const quoteText = (text: string): string =>
  /[\\]/.test(text)
    ? `CONVERT(0x${Buffer.from(text).toString('hex')} USING utf8mb4)`
    : `'${text.replaceAll("'", "''")}'`;
