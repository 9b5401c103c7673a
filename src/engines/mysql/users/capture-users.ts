import { Readable } from 'node:stream';
import { targetError } from '../../../errors.ts';
import type { OutgoingArtifact } from '../../engine.ts';
import type { Session } from '../server/connection.ts';
import { quoteIdentifier } from '../server/quote.ts';
import type { Server } from '../server/server.ts';
import { type CapturedUser, openUsersInspector, USERS, USERS_FORMAT, writeUsers } from './users-script.ts';

/** Accounts that every server makes for itself. */
const OF_SERVER = ['mysql.sys', 'mysql.session', 'mysql.infoschema', 'mariadb.sys', 'root', 'PUBLIC', ''];

/** Users, roles and their rights, as the server would make them again. Throws `target` where they may not be read. */
export async function captureUsers(session: Session, server: Server): Promise<OutgoingArtifact> {
  const script = writeUsers(await readAll(session, server));
  return {
    name: USERS,
    extension: 'sql',
    format: USERS_FORMAT,
    source: { kind: 'stream', open: () => Readable.from([Buffer.from(script)]) },
    estimatedBytes: null,
    inspect: { open: openUsersInspector },
  };
}

async function readAll(session: Session, { family }: Server): Promise<readonly CapturedUser[]> {
  // A hash has any bytes, line ends too.
  if (family === 'mysql') await session.query('SET SESSION print_identified_with_as_hex = ON');
  const isRole = family === 'mariadb' ? 'is_role' : "'N'";
  const rows = await session
    .query<Readonly<Record<'user' | 'host' | 'isRole', string>>>(
      `SELECT User AS user, Host AS host, ${isRole} AS isRole FROM mysql.user ORDER BY isRole DESC, User, Host`,
    )
    .catch((error: unknown) => {
      throw targetError('cannot capture the users of the server: the user may not read mysql.user', {
        hint: '`GRANT SELECT ON mysql.*` to the user, or leave `globals` out',
        cause: error,
      });
    });
  const users: CapturedUser[] = [];
  for (const { user, host, isRole: role } of rows) {
    if (OF_SERVER.includes(user)) continue;
    const account = role === 'Y' ? quoteIdentifier(user) : `${quoteIdentifier(user)}@${quoteIdentifier(host)}`;
    const create = role === 'Y' ? [`CREATE ROLE ${account}`] : await lines(session, `SHOW CREATE USER ${account}`);
    const grants = await lines(session, `SHOW GRANTS FOR ${account}`);
    users.push({ account, statements: [...create, ...grants] });
  }
  return users;
}

async function lines(session: Session, sql: string): Promise<readonly string[]> {
  const rows = await session.query<Readonly<Record<string, string>>>(sql);
  return rows.flatMap((row) => Object.values(row)).filter((line) => !line.includes('\n'));
}
