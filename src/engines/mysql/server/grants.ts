import type { Session } from './connection.ts';

/** What a user may do: on everything, and on databases whose names match a pattern. */
export interface Grants {
  has(privilege: string, database?: string): boolean;
}

const LINE = /^GRANT (.*?) ON (?:TABLE )?(\*|`(?:[^`]|``)*`)\.(\*|`(?:[^`]|``)*`) TO /s;

/** Reads what the server says of the user of a session, roles included. */
export async function readGrants(session: Session): Promise<Grants> {
  const rows = await session.query<Readonly<Record<string, string>>>('SHOW GRANTS');
  return parseGrants(rows.flatMap((row) => Object.values(row)));
}

/** Rights on single tables or columns are none on the database. */
export function parseGrants(lines: readonly string[]): Grants {
  const all: { readonly pattern: RegExp | null; readonly privileges: ReadonlySet<string> }[] = [];
  for (const line of lines) {
    const [, privileges, database, table] = LINE.exec(line) ?? [];
    if (privileges === undefined || database === undefined || table !== '*') continue;
    const names = new Set(privileges.split(',').map((name) => name.trim().toUpperCase()));
    all.push({
      pattern: database === '*' ? null : patternOf(database.slice(1, -1).replaceAll('``', '`')),
      privileges: names,
    });
  }
  return {
    has: (privilege, database) =>
      all.some(
        ({ pattern, privileges }) =>
          (pattern === null || (database !== undefined && pattern.test(database))) &&
          (privileges.has(privilege) ||
            (privileges.has('ALL PRIVILEGES') && (pattern === null || !GLOBAL.has(privilege)))),
      ),
  };
}

/** Only given on everything. */
const GLOBAL: ReadonlySet<string> = new Set([
  'SUPER',
  'SET USER',
  'SET_USER_ID',
  'SET_ANY_DEFINER',
  'SHOW_ROUTINE',
  'CREATE USER',
  'RELOAD',
  'FLUSH_TABLES',
]);

/** `%` stands for any letters and `_` for one, unless a backslash is before them. */
function patternOf(name: string): RegExp {
  const parts = name.match(/\\.|[\s\S]/gu) ?? [];
  const source = parts.map((part) => {
    if (part === '%') return '.*';
    if (part === '_') return '.';
    return (part.length > 1 && part.startsWith('\\') ? part.slice(1) : part).replace(
      /[\\^$.*+?()[\]{}|/]/g,
      String.raw`\$&`,
    );
  });
  return new RegExp(`^${source.join('')}$`, 'su');
}

/** `shop`@`%` as the server knows who is connected, for statements. */
export async function currentAccount(session: Session): Promise<string> {
  const [row] = await session.query<{ readonly account: string }>('SELECT CURRENT_USER() AS account');
  return row?.account ?? '';
}
