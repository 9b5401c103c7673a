import type { Problem } from '../../engine.ts';
import type { MysqlTarget, Session } from '../server/connection.ts';
import type { Grants } from '../server/grants.ts';
import { named } from '../server/named.ts';
import { holdsRows, type TableInfo } from '../server/objects.ts';
import { ROWS_ELSEWHERE } from '../server/database-facts.ts';

/** Engines whose tables a transaction sees as they were when it began. */
const TRANSACTIONAL = ['innodb', 'rocksdb', 'tokudb', 'ndbcluster'];

/** Looks for what a dump leaves out or changes without a word. */
export async function captureFindings(
  session: Session,
  { database, lock }: MysqlTarget,
  tables: readonly TableInfo[],
  grants: Grants,
): Promise<readonly Problem[]> {
  const withRows = tables.filter(holdsRows);
  const elsewhere = withRows.filter(({ engine }) => ROWS_ELSEWHERE.includes(engine?.toLowerCase() ?? ''));
  const loose = withRows.filter(
    (table) => !TRANSACTIONAL.includes(table.engine?.toLowerCase() ?? '') && !elsewhere.includes(table),
  );
  const versioned = withRows.filter(({ type }) => type === 'SYSTEM VERSIONED');
  const mayReadRoutines =
    grants.has('SELECT') ||
    grants.has('SHOW_ROUTINE') ||
    grants.has('SELECT', 'mysql') ||
    grants.has('EXECUTE', database);
  return [
    ...(lock === true
      ? []
      : finding(
          loose,
          'tables without transactions are not from the moment of the others',
          'write `lock: true`, or ALTER TABLE … ENGINE=InnoDB',
        )),
    ...finding(elsewhere, 'rows stay where these tables take them from'),
    ...finding(versioned, 'the history of versioned tables is not in the dump, only their rows of today'),
    ...finding(
      await floatTables(session, database),
      'a dump has 6 digits of FLOAT columns',
      'make them DOUBLE where more digits count',
    ),
    ...(mayReadRoutines
      ? []
      : [
          {
            message: 'procedures and functions that the user may not see are not in the dump',
            hint: 'GRANT SHOW_ROUTINE (MySQL) or SELECT ON mysql.proc (MariaDB), or EXECUTE on the database',
          },
        ]),
  ];
}

const finding = (found: readonly { readonly name: string }[], message: string, hint?: string): readonly Problem[] =>
  found.length === 0 ? [] : [{ message: `${message}: ${named(found.map(({ name }) => name))}`, hint }];

const floatTables = (session: Session, database: string): Promise<readonly { readonly name: string }[]> =>
  session.query<{ readonly name: string }>(
    `SELECT DISTINCT c.TABLE_NAME AS name FROM information_schema.COLUMNS c
     JOIN information_schema.TABLES t ON t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME
     WHERE c.TABLE_SCHEMA = ? AND c.DATA_TYPE = 'float' AND t.TABLE_TYPE <> 'VIEW' ORDER BY 1`,
    [database],
  );
