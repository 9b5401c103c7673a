import { readFileSync } from 'node:fs';
import type { Client, ClientConfig } from 'pg';
import type { Context } from '../../context.ts';
import { abortReason, throwIfAborted } from '../../errors.ts';
import type { TargetOf } from '../engine.ts';
import { explainPostgresError } from './explain-error.ts';

export type PostgresTarget = TargetOf<'postgres'>;

/** One connection to a server. Queries run one after the other. */
export interface Session {
  /** Rows as objects; whole numbers beyond 2^31 arrive as text. Throws `target` with what the server said. */
  query<Row>(sql: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** Safe to call at any time, more than once. */
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 15_000;

/** Connects to the target's server: to its database, or to another one of it. Ends with the context's signal. */
export async function connect(
  target: PostgresTarget,
  context: Context,
  database: string = target.database,
): Promise<Session> {
  throwIfAborted(context.signal);
  const { default: pg } = await import('pg');
  const client = new pg.Client(clientConfig(target, database));
  // A lost connection also fails the query under way.
  client.on('error', () => undefined);
  const stop = (): void => void client.end().catch(() => undefined);
  context.signal.addEventListener('abort', stop, { once: true });
  const subject = `database ${database} on ${serverOf(target)}`;
  try {
    await client.connect();
  } catch (error) {
    context.signal.removeEventListener('abort', stop);
    if (context.signal.aborted) throw abortReason(context.signal);
    throw explainPostgresError(`cannot connect to ${subject}`, error);
  }
  return sessionOf(client, subject, context, stop);
}

function sessionOf(client: Client, subject: string, context: Context, stop: () => void): Session {
  let closed: Promise<void> | undefined;
  return {
    async query<Row>(sql: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
      try {
        const result = await client.query(sql, [...values]);
        return result.rows as readonly Row[];
      } catch (error) {
        if (context.signal.aborted) throw abortReason(context.signal);
        throw explainPostgresError(`cannot query ${subject}`, error);
      }
    },
    close: () => {
      context.signal.removeEventListener('abort', stop);
      return (closed ??= client.end().catch(() => undefined));
    },
  };
}

/** `db.internal:5432`, or the folder of the socket. */
export const serverOf = ({ host, port, socket }: PostgresTarget): string =>
  socket ?? `${host ?? 'localhost'}:${port ?? 5432}`;

function clientConfig(target: PostgresTarget, database: string): ClientConfig {
  const { host = 'localhost', port = 5432, socket, user = 'postgres', password } = target;
  return {
    host: socket ?? host,
    port,
    user,
    database,
    // An empty text keeps the library from looking for a password in our environment.
    password: password ?? '',
    application_name: 'bkp',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    ssl: socket === undefined ? tlsOptions(target) : false,
  };
}

function tlsOptions({
  tls = 'prefer',
  tlsCa,
  tlsCertificate,
  tlsKey,
  host = 'localhost',
}: PostgresTarget): ClientConfig['ssl'] {
  if (tls === 'disable' || tls === 'prefer') return false;
  return {
    rejectUnauthorized: tls !== 'require',
    servername: host,
    ...(tlsCa === undefined ? {} : { ca: readFileSync(tlsCa) }),
    ...(tlsCertificate === undefined ? {} : { cert: readFileSync(tlsCertificate) }),
    ...(tlsKey === undefined ? {} : { key: readFileSync(tlsKey) }),
    ...(tls === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  };
}
