import { BkpError } from '../../../errors.ts';
import type { Problem } from '../../engine.ts';
import type { MysqlTarget, Session } from '../server/connection.ts';
import { MARK_TABLE } from '../server/database-facts.ts';
import { codeOf } from '../server/explain-error.ts';
import { currentAccount, type Grants } from '../server/grants.ts';
import { named } from '../server/named.ts';
import type { TableInfo } from '../server/objects.ts';
import { qualified, quoteIdentifier } from '../server/quote.ts';

/** Without these a dump leaves out without a word what the user may not see. */
const NEEDED = ['SELECT', 'SHOW VIEW', 'TRIGGER', 'EVENT'];

/** What would make a dump fail, or worse, pass for whole: told before it starts. */
export async function captureProblems(
  session: Session,
  { database, lock }: MysqlTarget,
  tables: readonly TableInfo[],
  grants: Grants,
): Promise<readonly Problem[]> {
  const lacking = [...NEEDED, ...(lock === true ? ['LOCK TABLES'] : [])].filter((one) => !grants.has(one, database));
  const problems: Problem[] = [];
  if (lacking.length > 0) {
    const grant = `GRANT ${lacking.join(', ')} ON ${quoteIdentifier(database)}.* TO ${accountText(await currentAccount(session))}`;
    problems.push({ message: `the user may not ${lacking.join(', ')} on database ${database}`, hint: `\`${grant}\`` });
  }
  const broken = lacking.length > 0 ? [] : await unreadableViews(session, database, tables);
  if (broken.length > 0)
    problems.push({
      message: `views that nobody can read: ${named(broken)}`,
      hint: 'repair or drop them: what they refer to is gone, and a dump ends there',
    });
  if (tables.some(({ name }) => name === MARK_TABLE))
    problems.push({
      message: `a restore of database ${database} has not finished`,
      hint: 'restore it once more, or drop it',
    });
  return problems;
}

/** What a view refers to may be gone: only who reads it hears of that on every server. No row is read. */
async function unreadableViews(
  session: Session,
  database: string,
  tables: readonly TableInfo[],
): Promise<readonly string[]> {
  const broken: string[] = [];
  for (const { name, type } of tables) {
    if (type !== 'VIEW') continue;
    const problem = await session.query(`SELECT * FROM ${qualified(database, name)} LIMIT 0`).then(
      () => null,
      (error: unknown) => error,
    );
    if (problem instanceof BkpError && codeOf(problem.cause) === 'ER_VIEW_INVALID') broken.push(name);
    else if (problem instanceof BkpError && problem.code === 'interrupted') throw problem;
  }
  return broken;
}

/** `app`@`%` of what the server gives as `app@%`. */
export function accountText(account: string): string {
  const at = account.lastIndexOf('@');
  return at < 0
    ? quoteIdentifier(account)
    : `${quoteIdentifier(account.slice(0, at))}@${quoteIdentifier(account.slice(at + 1))}`;
}
