import { pipeline } from 'node:stream/promises';
import type { Client, ClientConfig } from 'pg';
import type { Context } from '../../../context.ts';
import { abortReason, BkpError, throwIfAborted } from '../../../errors.ts';
import type { TargetOf } from '../../engine.ts';
import type { CopyRows } from '../script/copy-script.ts';
import { codeOf, explainPostgresError } from './explain-error.ts';
import { quoteText } from './quote.ts';
import { mayGoInTheClear, sessionTls } from './tls.ts';

/** A target as the policy has it: one database or several of one server. */
export type PostgresConfig = TargetOf<'postgres'>;

/** One database of a server. */
export type PostgresTarget = Omit<PostgresConfig, 'database' | 'databases' | 'excludeDatabases'> & {
  readonly database: string;
};

/** One connection to a server. Queries run one after the other. */
export interface Session {
  /** Rows as objects; whole numbers beyond 2^31 arrive as text. Throws `target` with what the server said. */
  query<Row>(sql: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** Feeds rows, in the format it names, to a `COPY … FROM STDIN`; returns how many went in. */
  copyIn(sql: string, rows: CopyRows): Promise<number>;
  /** Safe to call at any time, more than once. */
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 15_000;
/** Limits that are set for applications would end a session that holds a snapshot for hours. */
const NO_TIMEOUTS = '-c statement_timeout=0 -c idle_in_transaction_session_timeout=0 -c lock_timeout=0';

/** Connects to the target's server: to its database, or to another one of it. Ends with the context's signal. */
export async function connect(
  target: PostgresTarget,
  context: Context,
  database: string = target.database,
): Promise<Session> {
  throwIfAborted(context.signal);
  const subject = `database ${database} on ${serverOf(target)}`;
  const ssl = sessionTls(target);
  try {
    return await connectWith(target, database, ssl, context);
  } catch (error) {
    if (context.signal.aborted) throw abortReason(context.signal);
    if (!mayGoInTheClear(target, error, codeOf(error)))
      throw explainPostgresError(`cannot connect to ${subject}`, error);
  }
  try {
    return await connectWith(target, database, false, context);
  } catch (error) {
    if (context.signal.aborted) throw abortReason(context.signal);
    throw explainPostgresError(`cannot connect to ${subject}`, error);
  }
}

async function connectWith(
  target: PostgresTarget,
  database: string,
  ssl: ClientConfig['ssl'],
  context: Context,
): Promise<Session> {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ ...clientConfig(target, database), ssl });
  // A lost connection also fails the query under way.
  client.on('error', () => undefined);
  throwIfAborted(context.signal);
  let giveUp = (): void => undefined;
  const stop = (): void => {
    giveUp();
    void client.end().catch(() => undefined);
  };
  context.signal.addEventListener('abort', stop, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      // A connection that is ended while it is being made never says so.
      giveUp = () => reject(abortReason(context.signal));
      client.connect().then(() => resolve(), reject);
    });
  } catch (error) {
    context.signal.removeEventListener('abort', stop);
    // One that failed half-way would stay open until the server's patience ends.
    void client.end().catch(() => undefined);
    throw error;
  }
  return sessionOf(client, `database ${database} on ${serverOf(target)}`, context, stop);
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
    async copyIn(sql, rows) {
      const { from } = await import('pg-copy-streams');
      try {
        const into = client.query(from(rows.encoding === undefined ? sql : inEncoding(sql, rows.encoding)));
        await pipeline(rows, into);
        return into.rowCount;
      } catch (error) {
        if (context.signal.aborted) throw abortReason(context.signal);
        if (error instanceof BkpError) throw error;
        throw explainPostgresError(`cannot query ${subject}`, error);
      }
    },
    close: () => {
      context.signal.removeEventListener('abort', stop);
      return (closed ??= client.end().catch(() => undefined));
    },
  };
}

/** The server knows how to turn rows of any encoding into its own; names in the statement are UTF-8 all the same. */
const inEncoding = (copy: string, encoding: string): string =>
  `${copy.replace(/;\s*$/, '')} WITH (ENCODING ${quoteText(encoding)})`;

/** `db.internal:5432`, or the folder of the socket. */
export const serverOf = ({ host, port, socket }: PostgresTarget): string =>
  socket ?? `${host ?? 'localhost'}:${port ?? 5432}`;

function clientConfig(target: PostgresTarget, database: string): ClientConfig {
  const { host = 'localhost', port = 5432, socket, user = 'postgres', password, options } = target;
  return {
    host: socket ?? host,
    port,
    user,
    database,
    // The library takes what is not given from our environment: an empty text is not, a function is.
    password: () => password ?? '',
    sslnegotiation: 'postgres',
    application_name: 'bkp',
    options: options === undefined ? NO_TIMEOUTS : `${NO_TIMEOUTS} ${options}`,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  };
}
