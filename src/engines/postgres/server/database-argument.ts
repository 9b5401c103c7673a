/** What PostgreSQL's programs take for a connection string where they expect the name of a database. */
const LIKE_CONNECTION_STRING = /=|^postgres(?:ql)?:\/\//;

/** The name of a database as an argument of a program, whatever is in it: one that looks like a connection string becomes one. */
export const databaseArgument = (database: string): string =>
  LIKE_CONNECTION_STRING.test(database) ? `dbname='${database.replaceAll(/['\\]/g, String.raw`\$&`)}'` : database;
