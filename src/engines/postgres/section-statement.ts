/** The statements of a section without the comments with which pg_restore introduces them and ends a script. */
export const bareStatements = (sql: string): string =>
  sql.replace(/^(?:\s*--[^\n]*\n)+/, '').replace(/(?:\s*\n--[^\n]*)+\s*$/, '\n');
