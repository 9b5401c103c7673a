import type { Problem } from '../../engine.ts';
import type { MysqlTarget, Session } from '../server/connection.ts';
import { MARK_TABLE } from '../server/database-facts.ts';
import { currentAccount, type Grants } from '../server/grants.ts';
import { named } from '../server/named.ts';
import type { TableInfo } from '../server/objects.ts';
import { quoteIdentifier } from '../server/quote.ts';

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
  const broken = tables.filter(({ type, comment }) => type === 'VIEW' && /references invalid table/.test(comment));
  if (broken.length > 0)
    problems.push({
      message: `views that nobody can read: ${named(broken.map(({ name }) => name))}`,
      hint: 'repair or drop them: what they refer to is gone, and a dump ends there',
    });
  if (tables.some(({ name }) => name === MARK_TABLE))
    problems.push({
      message: `a restore of database ${database} has not finished`,
      hint: 'restore it once more, or drop it',
    });
  return problems;
}

/** `app`@`%` of what the server gives as `app@%`. */
export function accountText(account: string): string {
  const at = account.lastIndexOf('@');
  return at < 0
    ? quoteIdentifier(account)
    : `${quoteIdentifier(account.slice(0, at))}@${quoteIdentifier(account.slice(at + 1))}`;
}
