import type { Db, Document, MongoClient } from 'mongodb';
import type { Context } from '../../../context.ts';
import { abortReason, BkpError, throwIfAborted } from '../../../errors.ts';
import { explainMongoError } from './explain-error.ts';
import { connectionString, type MongodbTarget, serverOf } from './uri.ts';

/** One connection to a server. What it throws are `target` errors with what the server said. */
export interface Session {
  /** Does something with a database; values of documents keep their kinds. */
  in<T>(database: string, act: (database: Db) => Promise<T>): Promise<T>;
  command(database: string, command: Document): Promise<Document>;
  /** Documents as extended JSON that tells the kinds of numbers. */
  toJson(value: unknown): unknown;
  /** The value that `toJson` was given. */
  fromJson(json: unknown): unknown;
  /** Safe to call at any time, more than once. */
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 15_000;

/** Connects to the target's server. Ends with the context's signal. */
export async function connect(target: MongodbTarget, context: Context): Promise<Session> {
  throwIfAborted(context.signal);
  const { BSON, MongoClient } = await import('mongodb');
  const subject = `MongoDB on ${serverOf(target)}`;
  const explain = (doing: string, error: unknown): BkpError => {
    if (context.signal.aborted) return abortReason(context.signal);
    return error instanceof BkpError ? error : explainMongoError(`cannot ${doing} ${subject}`, error);
  };
  let client: MongoClient | undefined;
  try {
    client = new MongoClient(connectionString(target), {
      appName: 'bkp',
      connectTimeoutMS: CONNECT_TIMEOUT_MS,
      serverSelectionTimeoutMS: CONNECT_TIMEOUT_MS,
      promoteValues: false,
    });
    await unlessAborted(client.connect(), context.signal);
  } catch (error) {
    void client?.close().catch(() => undefined);
    throw explain('connect to', error);
  }
  const { EJSON } = BSON;
  const json = {
    toJson: (value: unknown): unknown => EJSON.serialize(value, { relaxed: false }),
    fromJson: (value: unknown): unknown => EJSON.deserialize(value as Document, { relaxed: false }),
  };
  return sessionOf(client, json, explain, context);
}

function sessionOf(
  client: MongoClient,
  json: Pick<Session, 'toJson' | 'fromJson'>,
  explain: (doing: string, error: unknown) => BkpError,
  context: Context,
): Session {
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    context.signal.removeEventListener('abort', close);
    return (closed ??= client.close().catch(() => undefined));
  };
  context.signal.addEventListener('abort', close, { once: true });
  const act = async <T>(database: string, act: (database: Db) => Promise<T>): Promise<T> => {
    try {
      return await act(client.db(database));
    } catch (error) {
      throw explain(`query database ${database} of`, error);
    }
  };
  return {
    in: act,
    command: (database, command) => act(database, (db) => db.command(command, { promoteValues: true })),
    ...json,
    close,
  };
}

/** The library goes on trying for a while, whoever waits for it. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(abortReason(signal));
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
