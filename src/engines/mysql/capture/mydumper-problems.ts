import type { Problem } from '../../engine.ts';
import type { MysqlTarget, Session } from '../server/connection.ts';
import { ROWS_ELSEWHERE } from '../server/database-facts.ts';
import { currentAccount, type Grants } from '../server/grants.ts';
import { named } from '../server/named.ts';
import { holdsRows, type TableInfo } from '../server/objects.ts';
import type { Family } from '../server/server.ts';
import { accountText } from './problems.ts';

/** Tables whose rows are in a dump. */
export const tablesWithRows = (tables: readonly TableInfo[]): readonly TableInfo[] =>
  tables.filter((table) => holdsRows(table) && !ROWS_ELSEWHERE.includes(table.engine?.toLowerCase() ?? ''));

const OTHERWISE = 'leave `method: mydumper` out: the program of the server can';

/** What mydumper would leave out or spoil, most of it without a word. */
export async function mydumperProblems(
  session: Session,
  { database, lock }: MysqlTarget,
  tables: readonly TableInfo[],
  grants: Grants,
  family: Family,
): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  if (lock !== true && !grants.has('RELOAD') && !grants.has('FLUSH_TABLES'))
    problems.push({
      message: 'the user may not RELOAD, which stops writers until all jobs of mydumper see the same moment',
      hint: `\`GRANT RELOAD ON *.* TO ${accountText(await currentAccount(session))}\`, or write \`lock: true\``,
    });
  const tell = (found: readonly string[], message: string, hint: string): void => {
    if (found.length > 0) problems.push({ message: `${message}: ${named(found)}`, hint });
  };
  const names = tablesWithRows(tables).map(({ name }) => name);
  // It selects the database once names are bytes to the server, which MySQL does not convert.
  if (/[`/,\\]/.test(database) || (family === 'mysql' && /[^ -~]/.test(database)))
    tell([database], 'mydumper does not dump a database of this name', OTHERWISE);
  tell(unfitNames(database, names), 'mydumper does not dump tables of these names', OTHERWISE);
  const columns = await readColumns(session, database);
  const computed = new Set(columns.filter(({ extra }) => isComputed(extra)).map(({ table }) => table));
  const hidden = columns.filter(({ table, extra }) => /INVISIBLE/i.test(extra) && !computed.has(table));
  tell(distinct(hidden.map(({ table }) => table)), 'mydumper loses the invisible columns of these tables', OTHERWISE);
  const quoted = columns.filter(({ name }) => name.includes('`'));
  tell(distinct(quoted.map(({ table }) => table)), 'mydumper spoils names of columns with a backtick', OTHERWISE);
  return problems;
}

/** Its files are named after tables: no two may have one, and none may be elsewhere, or look like another kind. */
function unfitNames(database: string, names: readonly string[]): readonly string[] {
  const folded = new Map<string, number>();
  for (const name of names) folded.set(name.toLowerCase(), (folded.get(name.toLowerCase()) ?? 0) + 1);
  return names.filter(
    (name) =>
      /[`/\\,]|-schema|-checksum|\.\d{5}$/.test(name) ||
      (folded.get(name.toLowerCase()) ?? 0) > 1 ||
      Buffer.byteLength(`${database}.${name}.00001.sql`) > LONGEST_NAME,
  );
}

const LONGEST_NAME = 255;

interface Column {
  readonly table: string;
  readonly name: string;
  readonly extra: string;
}

const readColumns = (session: Session, database: string): Promise<readonly Column[]> =>
  session.query<Column>(
    "SELECT TABLE_NAME AS `table`, COLUMN_NAME AS name, EXTRA AS extra FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND (EXTRA <> '' OR COLUMN_NAME LIKE '%`%') ORDER BY 1, 2",
    [database],
  );

/** It asks for columns by name where one is computed, and for `*` else. */
const isComputed = (extra: string): boolean => /GENERATED/i.test(extra) && !/DEFAULT_GENERATED/i.test(extra);

const distinct = (names: readonly string[]): readonly string[] => [...new Set(names)];
