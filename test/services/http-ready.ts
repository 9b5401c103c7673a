import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';
import { type ServerOptions, type ServerProcess, startServer } from './server-process.ts';

const PORT_ATTEMPTS = 5;

export interface HttpServer extends ServerProcess {
  readonly port: number;
}

/** Starts a program that serves HTTP on a free port of 127.0.0.1 and waits until it answers a GET of `path`. */
export async function startHttpServer(
  name: string,
  argv: (port: number) => readonly string[],
  options: ServerOptions & {
    readonly path: string;
    readonly isReady: (status: number) => boolean;
    /** The status of an answer, where a plain GET does not tell; 0 for none. */
    readonly look?: (port: number) => Promise<number>;
  },
): Promise<HttpServer> {
  const look =
    options.look ??
    ((port: number): Promise<number> =>
      fetch(`http://127.0.0.1:${port}${options.path}`).then(
        async (response) => (await response.text(), response.status),
        () => 0,
      ));
  // A free port may be taken by others until it is used.
  for (let attempt = 0; attempt < PORT_ATTEMPTS; attempt++) {
    const port = await freePort();
    const server = startServer(argv(port), options);
    while (server.isRunning()) {
      const status = await look(port);
      // Somebody else's answer on a port that was lost to him must not be taken for this server's.
      if (status !== 0 && options.isReady(status) && server.isRunning()) return { ...server, port };
      await sleep(20);
    }
  }
  throw new Error(
    `cannot start ${name}:\n${readFileSync(options.log, 'utf8').trim().split('\n').slice(-12).join('\n')}`,
  );
}
