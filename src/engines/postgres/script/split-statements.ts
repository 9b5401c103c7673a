/** Statements of a script without dollar quotes, in order, without comments, lines for psql and the semicolon at the end. */
export function splitStatements(script: string): readonly string[] {
  const statements: string[] = [];
  let statement = '';
  for (const [token] of script.matchAll(TOKEN)) {
    if (token === ';') {
      if (statement.trim() !== '') statements.push(statement.trim());
      statement = '';
    } else if (!token.startsWith('--') && !(token.startsWith('\\') && statement.trim() === '')) statement += token;
  }
  return statements;
}

/** A comment, a line for psql, a text with and without backslashes, a quoted name, the end, anything else. */
const TOKEN = /--[^\n]*|\\[^\n]*|\b[Ee]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|;|[^-\\'"; ]+|[\s\S]/g;
