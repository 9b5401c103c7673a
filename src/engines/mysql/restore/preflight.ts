import { targetError } from '../../../errors.ts';
import type { Facts, FactValue, Problem, RestoreMode } from '../../engine.ts';
import { accountText } from '../capture/problems.ts';
import { accountName } from '../dump/statement.ts';
import type { MysqlTarget, Session } from '../server/connection.ts';
import { currentAccount, type Grants, readGrants } from '../server/grants.ts';
import { named } from '../server/named.ts';
import { quoteIdentifier } from '../server/quote.ts';
import type { Server } from '../server/server.ts';

const MAY_NAME_DEFINERS = ['SUPER', 'SET USER', 'SET_USER_ID', 'SET_ANY_DEFINER'];

/**
 * Throws what a dump needs and the server or the user lacks, before anything is touched: else a restore fails once all of
 * the rows are there. `usersCome`: those that are missing will be made before.
 */
export async function assertServerHas(
  session: Session,
  { database }: MysqlTarget,
  facts: Facts,
  { noOwner, usersCome }: { readonly noOwner: boolean; readonly usersCome: boolean },
): Promise<void> {
  const fail = (lack: string, hint: string): never => {
    throw targetError(`cannot restore database ${database}: ${lack}`, { hint });
  };
  const unknown = await unknownCollations(session, namesIn(facts['collations']));
  if (unknown.length > 0)
    fail(
      `the server does not know collation ${named(unknown)}`,
      'restore into a server of the same kind and at least the same version, or convert the tables before they are captured',
    );
  const grants = await readGrants(session);
  const me = await currentAccount(session);
  if (!noOwner) {
    const others = namesIn(facts['definers']).filter((name) => name !== me);
    if (others.length > 0 && !MAY_NAME_DEFINERS.some((one) => grants.has(one)))
      fail(
        `views, triggers, routines or events run as ${named(others)}, and user ${me} may not make such`,
        '`--no-owner` lets whoever restores own them; or connect as a user with SET_ANY_DEFINER, SET USER or SUPER',
      );
    const missing = usersCome ? [] : await missingAccounts(session, others);
    if (missing.length > 0)
      fail(
        `views, triggers, routines or events run as ${named(missing)}, who is not there`,
        `${missing
          .slice(0, 3)
          .map((name) => `CREATE USER ${accountText(name)}`)
          .join('; ')}; or let whoever restores own them: \`--no-owner\``,
      );
  }
  if ((await needsTrust(session, grants)) && (Number(facts['triggers']) > 0 || Number(facts['routines']) > 0))
    fail(
      `user ${me} may not make triggers and functions while the binary log is on`,
      'set log_bin_trust_function_creators = 1 on the server, or connect as a user with SUPER',
    );
}

const namesIn = (value: FactValue | undefined): readonly string[] =>
  typeof value === 'object' && value !== null ? Object.keys(value) : [];

async function unknownCollations(session: Session, wanted: readonly string[]): Promise<readonly string[]> {
  if (wanted.length === 0) return [];
  const rows = await session.query<Readonly<Record<string, string | null>>>(
    'SELECT * FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY',
  );
  const known = new Set(rows.flatMap((row) => Object.values(row)).map((name) => String(name).toLowerCase()));
  return wanted.filter((name) => !known.has(name.toLowerCase()) && name.toLowerCase() !== 'binary');
}

/** Nobody is missing for who may not see the list of users. */
async function missingAccounts(session: Session, wanted: readonly string[]): Promise<readonly string[]> {
  if (wanted.length === 0) return [];
  try {
    const rows = await session.query<{ readonly user: string; readonly host: string }>(
      'SELECT User AS user, Host AS host FROM mysql.user',
    );
    const known = new Set(rows.map(({ user, host }) => accountName(user, host)));
    return wanted.filter((name) => !known.has(name));
  } catch {
    return [];
  }
}

async function needsTrust(session: Session, grants: Grants): Promise<boolean> {
  if (grants.has('SUPER')) return false;
  const [row] = await session.query<{ readonly logs: number; readonly trusts: number }>(
    'SELECT @@global.log_bin AS `logs`, @@global.log_bin_trust_function_creators AS trusts',
  );
  return Number(row?.logs) !== 0 && Number(row?.trusts) === 0;
}

/** What the user or the server lacks to write a destination, whatever comes there. */
export async function destinationProblems(
  session: Session,
  { database }: MysqlTarget,
  server: Server,
  live: 'absent' | 'empty' | 'occupied',
  mode: RestoreMode | undefined,
): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  const grants = await readGrants(session);
  const account = accountText(await currentAccount(session));
  if (server.isReadOnly && !grants.has('SUPER'))
    problems.push({ message: 'the server takes no writes: it is read_only', hint: 'restore into its primary' });
  if (live === 'absent' && !grants.has('CREATE', database))
    problems.push({
      message: `the user may not create database ${database}`,
      hint: `\`GRANT ALL ON ${quoteIdentifier(pattern(database))}.* TO ${account}\``,
    });
  const beside = `${database}_bkp_new_00000000`;
  if (live === 'occupied' && (mode === 'replace' || mode === 'merge') && !grants.has('CREATE', beside))
    problems.push({
      message: `the user may not create a database beside ${database}, where the captured one is built`,
      hint: `\`GRANT ALL ON ${quoteIdentifier(`${pattern(`${database}_bkp_`)}%`)}.* TO ${account}\``,
    });
  if (live === 'occupied' && mode === 'replace') {
    const rows = await session.query<{ readonly name: string }>(
      `SELECT DISTINCT CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) AS name FROM information_schema.KEY_COLUMN_USAGE
       WHERE REFERENCED_TABLE_SCHEMA = ? AND TABLE_SCHEMA <> ?`,
      [database, database],
    );
    if (rows.length > 0)
      problems.push({
        message: `tables of other databases have foreign keys into ${database}: ${named(rows.map(({ name }) => name))}`,
        hint: 'they would follow the old tables: drop these keys for the time, or restore by `--mode merge`',
      });
  }
  return problems;
}

/** A name where grants take patterns. */
const pattern = (name: string): string => name.replaceAll(/[\\%_]/g, String.raw`\$&`);
