import type { Context } from '../../../context.ts';
import { throwIfAborted } from '../../../errors.ts';
import { openClient } from './any-server.ts';
import { refusal, unreachable } from './explain-error.ts';
import { pauseBefore } from './pause.ts';
import { clientOptions, placeOfServer, type SearchTarget } from './settings.ts';
import { readVersion, type ServerVersion } from './version.ts';

const TIMEOUT_MS = 300_000;
/** Of a request that a busy server sent back. */
const MOST_ATTEMPTS = 9;
/** From this attempt on, what is waited out is asked for as rarely as can be. */
const LONGEST_WAIT = MOST_ATTEMPTS - 1;
const BUSY = [429, 502, 503, 504];
/** While a master is elected, or a cluster starts: what was asked for has not begun. */
const NOT_BEGUN =
  /"type":"(?:(?:master|cluster_manager)_not_discovered_exception|process_cluster_event_timeout_exception|cluster_block_exception)"/;

export interface SearchRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With every name in it encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  /** JSON as it shall be sent. */
  readonly body?: string | Buffer;
  /** Lines of JSON. */
  readonly lines?: Buffer;
  /** `cannot read index orders`: how an error begins. */
  readonly doing: string;
  /** Answers that are no failure: they give null. */
  readonly expected?: readonly number[];
  /** False where the server may have done it although no answer came. Default true. */
  readonly repeatable?: boolean;
  /** A refusal with such an answer is waited out, however long it takes: an abort or a time limit ends it. */
  readonly busyWhile?: RegExp;
  /** An abort does not cut it off, since the server would go on with it: it is waited for. */
  readonly isFinished?: boolean;
}

/** A server under any of its names. What documents hold passes as bytes: no number in it is ever read. */
export interface SearchServer {
  readonly place: string;
  readonly version: ServerVersion;
  /** Tells the cluster from every other. */
  readonly cluster: string;
  /** The bytes of an answer; null for an expected refusal. */
  bytes(request: SearchRequest): Promise<Buffer | null>;
  /** The same parsed, for what holds no documents. */
  json(request: SearchRequest): Promise<unknown>;
  /** The same server for what must still be done after an abort: cleaning up. */
  readonly afterwards: Pick<SearchServer, 'bytes' | 'json'>;
  close(): Promise<void>;
}

/** Connects to the server of a target and asks what it is. Throws `target` where it cannot be reached or is too old. */
export async function openServer(target: SearchTarget, context: Context): Promise<SearchServer> {
  const client = await openClient({
    ...(await clientOptions(target, context.signal)),
    maxRetries: 0,
    requestTimeout: TIMEOUT_MS,
    enableMetaHeader: false,
    redaction: { type: 'remove' },
  });
  const place = placeOfServer(target);

  async function once(request: SearchRequest, signal: AbortSignal | undefined): Promise<Answer> {
    const { method, path, query = {}, body, lines } = request;
    const { statusCode, body: stream } = await client.transport.request<AsyncIterable<Buffer>>(
      {
        method,
        path,
        querystring: { ...query },
        ...(lines === undefined ? {} : { bulkBody: lines as unknown as string }),
        ...(body === undefined ? {} : { body }),
      },
      {
        asStream: true,
        meta: true,
        ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' } }),
        ...(signal === undefined ? {} : { signal }),
      },
    );
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    return { status: statusCode, body: Buffer.concat(chunks) };
  }

  const asking =
    (signal: AbortSignal | undefined) =>
    async (request: SearchRequest): Promise<Buffer | null> => {
      const { doing, expected = [], repeatable = true } = request;
      for (let attempt = 1; ; attempt += 1) {
        if (signal !== undefined) throwIfAborted(signal);
        const last = attempt === MOST_ATTEMPTS;
        const answer = await once(request, request.isFinished === true ? undefined : signal).catch((error: unknown) => {
          if (signal !== undefined) throwIfAborted(signal);
          // The first request tells at once whether anybody is there.
          if (last || !repeatable || attempt > 3 || request.path === '/') throw unreachable(doing, error);
          return null;
        });
        if (answer !== null) {
          const { status, body } = answer;
          if (status < 300) return body;
          if (expected.includes(status)) return null;
          if (request.busyWhile?.test(body.toString()) === true) {
            await pauseBefore(attempt, signal);
            attempt = Math.min(attempt, LONGEST_WAIT - 1);
            continue;
          }
          const isBegun = status !== 429 && !(status === 503 && NOT_BEGUN.test(body.toString()));
          if (last || !BUSY.includes(status) || (isBegun && !repeatable)) throw refusal(doing, status, body);
        }
        await pauseBefore(attempt, signal);
      }
    };

  const json =
    (bytes: SearchServer['bytes']): SearchServer['json'] =>
    async (request) => {
      const answer = await bytes(request);
      return answer === null || answer.length === 0 ? null : JSON.parse(answer.toString());
    };

  const bytes = asking(context.signal);
  const detached = asking(undefined);
  try {
    const doing = `cannot connect to ${place}`;
    const answer = await json(bytes)({ method: 'GET', path: '/', doing });
    const version = readVersion(answer, place);
    const { cluster_uuid: cluster = '' } = answer as { readonly cluster_uuid?: string };
    const afterwards = { bytes: detached, json: json(detached) };
    return { place, version, cluster, bytes, json: json(bytes), afterwards, close: () => client.close() };
  } catch (error) {
    await client.close();
    throw error;
  }
}

interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

/** Uses a server and lets it go. */
export async function withServer<T>(
  target: SearchTarget,
  context: Context,
  use: (server: SearchServer) => Promise<T>,
): Promise<T> {
  const server = await openServer(target, context);
  try {
    return await use(server);
  } finally {
    await server.close();
  }
}
