import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A proxy that makes a store on this machine answer like one far away. */
export interface SlowProxy {
  readonly endpoint: string;
  /** Requests since the last call. */
  readonly count: () => number;
  readonly stop: () => void;
}

/** Starts a proxy that holds every request back for so long, and then streams its answer as it comes. */
export async function startSlowProxy(endpoint: string, delayMs: number): Promise<SlowProxy> {
  const agent = new Agent({ keepAlive: true });
  let seen = 0;
  const server = createServer((incoming, outgoing) => {
    seen += 1;
    const { url, method, headers } = incoming;
    setTimeout(() => {
      const onward = request(new URL(url ?? '/', endpoint), { agent, method, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(outgoing);
      });
      onward.on('error', () => outgoing.destroy());
      incoming.pipe(onward);
    }, delayMs);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    count: () => {
      const counted = seen;
      seen = 0;
      return counted;
    },
    stop: () => {
      server.closeAllConnections();
      server.close();
      agent.destroy();
    },
  };
}
