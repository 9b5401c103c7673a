import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

/** A request on its way to the store. */
export interface Passing {
  readonly method: string;
  /** Path below the host, decoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  /** Its number from 1. */
  readonly number: number;
}

/** What the proxy does with a request instead of passing it on. */
export type Fault =
  /** The store never sees it: an answer with a status and, but for HEAD, an S3 error code. */
  | { readonly kind: 'answer'; readonly status: number; readonly code: string }
  /** The connection is cut before the store sees it, or while its body is read. */
  | { readonly kind: 'cut-request' }
  /** The store does it, its answer is lost. */
  | { readonly kind: 'lose-answer' }
  /** Only so many bytes of the body of the answer arrive, then the connection is cut. */
  | { readonly kind: 'cut-body'; readonly bytes: number }
  /** A whole answer that ends early: its length says so. */
  | { readonly kind: 'short-body'; readonly bytes: number }
  /** Done in another way, with the body that came: the answer has no body. */
  | { readonly kind: 'do'; run(body: Buffer): Promise<{ readonly status: number; readonly etag: string }> };

export interface Proxy {
  readonly endpoint: string;
  /** Everything that came, in order. */
  readonly seen: readonly Passing[];
  /** What happens to requests from now on; undefined passes one on. */
  meet(fault: (passing: Passing) => Fault | undefined): void;
}

/** A real HTTP or HTTPS proxy in front of a store, which a test lets misbehave. It goes with the test. */
export async function startProxy(
  endpoint: string,
  tls?: { readonly key: string; readonly cert: string },
): Promise<Proxy> {
  const seen: Passing[] = [];
  let faultOf: (passing: Passing) => Fault | undefined = () => undefined;
  const answer = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const url = new URL(incoming.url ?? '/', endpoint);
    const passing: Passing = {
      method: incoming.method ?? '',
      path: decodeURIComponent(url.pathname),
      query: url.searchParams,
      headers: incoming.headers,
      number: seen.length + 1,
    };
    seen.push(passing);
    pass(endpoint, incoming, outgoing, faultOf(passing));
  };
  const server = tls === undefined ? createServer(answer) : createSecureServer({ ...tls }, answer);
  server.on('checkContinue', (incoming: IncomingMessage, outgoing: ServerResponse) => {
    outgoing.writeContinue();
    server.emit('request', incoming, outgoing);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    seen,
    meet: (fault) => (faultOf = fault),
  };
}

function pass(endpoint: string, incoming: IncomingMessage, outgoing: ServerResponse, fault: Fault | undefined): void {
  if (fault?.kind === 'cut-request') {
    incoming.once('data', () => incoming.socket.destroy());
    if (incoming.headers['content-length'] === undefined || incoming.headers['content-length'] === '0')
      incoming.socket.destroy();
    return;
  }
  if (fault?.kind === 'answer') {
    incoming.resume();
    incoming.once('end', () => {
      outgoing.writeHead(fault.status, { 'content-type': 'application/xml', date: new Date().toUTCString() });
      outgoing.end(`<?xml version="1.0"?><Error><Code>${fault.code}</Code><Message>${fault.code}</Message></Error>`);
    });
    return;
  }
  if (fault?.kind === 'do') {
    buffer(incoming)
      .then((body) => fault.run(body))
      .then(
        ({ status, etag }) => outgoing.writeHead(status, { etag }).end(),
        () => outgoing.destroy(),
      );
    return;
  }
  const { expect: _expect, ...headers } = incoming.headers;
  const onward = request(new URL(incoming.url ?? '/', endpoint), { method: incoming.method, headers }, (answer) => {
    answerWith(answer, outgoing, fault);
  });
  onward.on('error', () => outgoing.destroy());
  incoming.pipe(onward);
}

function answerWith(answer: IncomingMessage, outgoing: ServerResponse, fault: Fault | undefined): void {
  if (fault?.kind === 'lose-answer') {
    answer.resume();
    answer.once('end', () => outgoing.socket?.destroy());
    return;
  }
  const bytes = fault?.kind === 'cut-body' || fault?.kind === 'short-body' ? fault.bytes : undefined;
  if (bytes === undefined) {
    outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
    answer.pipe(outgoing);
    return;
  }
  const length = Math.min(bytes, Number(answer.headers['content-length'] ?? bytes));
  const whole = fault?.kind === 'short-body' ? { 'content-length': `${length}` } : {};
  outgoing.writeHead(answer.statusCode ?? 500, { ...answer.headers, ...whole });
  let left = length;
  answer.on('data', (chunk: Buffer) => {
    const taken = chunk.subarray(0, left);
    left -= taken.length;
    outgoing.write(taken, () => {
      if (left === 0 && fault?.kind === 'cut-body') outgoing.socket?.destroy();
    });
    if (left === 0 && fault?.kind === 'short-body') outgoing.end();
    if (left === 0) answer.destroy();
  });
}
