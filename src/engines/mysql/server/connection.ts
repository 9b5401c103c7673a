import type { Connection, ConnectionOptions } from 'mysql2/promise';
import type { Context } from '../../../context.ts';
import { abortReason, throwIfAborted } from '../../../errors.ts';
import type { TargetOf } from '../../engine.ts';
import { codeOf, explainMysqlError } from './explain-error.ts';
import { sessionTls } from './tls.ts';

/** A target as the policy has it: one database or several of one server. */
export type MysqlConfig = TargetOf<'mysql'>;

/** One database of a server. */
export type MysqlTarget = Omit<MysqlConfig, 'database' | 'databases' | 'excludeDatabases'> & {
  readonly database: string;
};

/** One connection to a server. Queries run one after the other. */
export interface Session {
  /** The connection is encrypted. */
  readonly isEncrypted: boolean;
  /** Rows as objects; whole numbers beyond 2^53, decimals and dates arrive as text. Throws `target` with what the server said. */
  query<Row>(sql: string, values?: readonly (string | number | null)[]): Promise<readonly Row[]>;
  /** How many rows a statement changed. */
  change(sql: string, values?: readonly (string | number | null)[]): Promise<number>;
  /** Safe to call at any time, more than once. */
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 15_000;
/** A server without TLS. */
const NO_TLS = ['HANDSHAKE_NO_SSL_SUPPORT', 'HANDSHAKE_SSL_ERROR'];

/** Connects to the target's server; to no database where none is named. Ends with the context's signal. */
export async function connect(target: MysqlTarget, context: Context, database: string | null): Promise<Session> {
  throwIfAborted(context.signal);
  const subject = database === null ? serverOf(target) : `database ${database} on ${serverOf(target)}`;
  const ssl = sessionTls(target);
  try {
    return await connectWith(target, database, ssl, subject, context);
  } catch (error) {
    if (context.signal.aborted) throw abortReason(context.signal);
    const mayGoInTheClear =
      ssl !== undefined && (target.tls ?? 'prefer') === 'prefer' && NO_TLS.includes(codeOf(error));
    if (!mayGoInTheClear) throw explainMysqlError(`cannot connect to ${subject}`, error);
  }
  try {
    return await connectWith(target, database, undefined, subject, context);
  } catch (error) {
    if (context.signal.aborted) throw abortReason(context.signal);
    throw explainMysqlError(`cannot connect to ${subject}`, error);
  }
}

async function connectWith(
  target: MysqlTarget,
  database: string | null,
  ssl: ConnectionOptions['ssl'],
  subject: string,
  context: Context,
): Promise<Session> {
  const { createConnection } = await import('mysql2/promise');
  const { host = 'localhost', port = 3306, socket, user = 'root', password = '' } = target;
  const connection = await createConnection({
    ...(socket === undefined ? { host, port } : { socketPath: socket }),
    user,
    password,
    ...(database === null ? {} : { database }),
    ...(ssl === undefined ? {} : { ssl }),
    charset: 'utf8mb4',
    connectTimeout: CONNECT_TIMEOUT_MS,
    supportBigNumbers: true,
    dateStrings: true,
    jsonStrings: true,
    flags: ['-LOCAL_FILES'],
    timezone: 'Z',
  });
  // A lost connection also fails the query under way.
  connection.on('error', () => undefined);
  return sessionOf(connection, ssl !== undefined, subject, context);
}

function sessionOf(connection: Connection, isEncrypted: boolean, subject: string, context: Context): Session {
  const stop = (): void => connection.destroy();
  context.signal.addEventListener('abort', stop, { once: true });
  if (context.signal.aborted) stop();
  const run = async (sql: string, values: readonly (string | number | null)[]): Promise<unknown> => {
    throwIfAborted(context.signal);
    try {
      const [result] = await connection.query(sql, [...values]);
      return result;
    } catch (error) {
      if (context.signal.aborted) throw abortReason(context.signal);
      throw explainMysqlError(`cannot query ${subject}`, error);
    }
  };
  let closed: Promise<void> | undefined;
  return {
    isEncrypted,
    async query<Row>(sql: string, values: readonly (string | number | null)[] = []): Promise<readonly Row[]> {
      const result = await run(sql, values);
      return Array.isArray(result) ? (result as readonly Row[]) : [];
    },
    async change(sql, values = []) {
      const result = await run(sql, values);
      return typeof result === 'object' && result !== null && 'affectedRows' in result
        ? Number(result.affectedRows)
        : 0;
    },
    close: () => {
      context.signal.removeEventListener('abort', stop);
      return (closed ??= context.signal.aborted ? Promise.resolve() : connection.end().catch(() => undefined));
    },
  };
}

/** `db.internal:3306`, or the socket. */
export const serverOf = ({ host, port, socket }: Pick<MysqlTarget, 'host' | 'port' | 'socket'>): string =>
  socket ?? `${host ?? 'localhost'}:${port ?? 3306}`;
