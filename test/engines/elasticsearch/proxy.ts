import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

export interface Passing {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** What stands between bkp and a real server: `send` asks the server and gives its answer. */
export type Between = (request: Passing, send: () => Promise<Answer>) => Promise<Answer>;

/**
 * A proxy in front of a real server, for states that no server can be brought to at will. Goes with the test. With a
 * `prefix`, that server is below it, and nothing else is there.
 */
export async function proxyTo(url: string, between: Between, prefix: string = ''): Promise<string> {
  const server = createServer((request, response) => {
    void (async () => {
      const body = await buffer(request);
      const asked = request.url ?? '/';
      if (!asked.startsWith(`${prefix}/`)) return void response.writeHead(404).end('nothing is here');
      const path = asked.slice(prefix.length);
      const method = request.method ?? 'GET';
      const send = (): Promise<Answer> => pass(new URL(path, url), request, body);
      const answer = await between({ method, path, body: body.toString() }, send);
      response.writeHead(answer.status, { 'content-type': 'application/json', 'X-elastic-product': 'Elasticsearch' });
      response.end(answer.body);
    })().catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}${prefix}`;
}

async function pass(url: URL, { method = 'GET', headers }: IncomingMessage, body: Buffer): Promise<Answer> {
  const type = headers['content-type'];
  const answer = await fetch(url, {
    method,
    ...(body.length === 0 ? {} : { body }),
    ...(type === undefined ? {} : { headers: { 'content-type': type } }),
  });
  return { status: answer.status, body: await answer.text() };
}

/** Asks for a snapshot of ours. */
export const isPoll = (method: string, path: string): boolean =>
  method === 'GET' && /^\/_snapshot\/[^/]+\/bkp-[^/]*$/.test(path);
/** Orders one. */
export const isStart = (method: string, path: string): boolean =>
  method === 'PUT' && /^\/_snapshot\/[^/]+\/bkp-/.test(path);

interface Listed {
  readonly snapshots: readonly Readonly<Record<string, unknown>>[];
}

/** What the server tells of a snapshot, otherwise. */
export const changed = ({ status, body }: Answer, change: Readonly<Record<string, unknown>>): Answer => {
  const { snapshots } = JSON.parse(body) as Listed;
  return { status, body: JSON.stringify({ snapshots: snapshots.map((one) => ({ ...one, ...change })) }) };
};
