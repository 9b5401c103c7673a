import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { targetError } from '../../../errors.ts';
import { readCommands } from './read-commands.ts';

/** A server of our own that one replica may follow: it gives away one dump and has nothing else. */
export interface Primary {
  readonly port: number;
  /** Resolves when a replica has said the password and asks for everything. Rejects when it comes a second time. */
  readonly asked: Promise<Socket>;
  /** Rejects when the replica goes away: it could not use what it got. */
  readonly lost: Promise<never>;
  close(): void;
}

/** Listens at an address of this machine. Whoever does not know the password gets nothing. */
export async function openPrimary(
  place: { readonly address: string | undefined; readonly port: number },
  password: string,
): Promise<Primary> {
  const sockets = new Set<Socket>();
  const asked = Promise.withResolvers<Socket>();
  const lost = Promise.withResolvers<never>();
  // Nobody may be waiting yet.
  asked.promise.catch(() => undefined);
  lost.promise.catch(() => undefined);
  let served: Socket | undefined;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => {
      sockets.delete(socket);
      if (socket === served) lost.reject(targetError('the server let the connection go; its log tells why'));
    });
    let isKnown = false;
    readCommands(socket, (words) => {
      const [name = '', ...rest] = words.map((word) => word.toString('latin1'));
      switch (name.toUpperCase()) {
        case 'PING':
          return void socket.write(isKnown ? '+PONG\r\n' : '-NOAUTH Authentication required.\r\n');
        case 'AUTH':
          isKnown = isSame(rest.at(-1) ?? '', password);
          return void socket.write(isKnown ? '+OK\r\n' : '-WRONGPASS invalid password\r\n');
        case 'REPLCONF':
          // How far it has come is no question.
          return void (rest[0]?.toUpperCase() === 'ACK' || socket.write(isKnown ? '+OK\r\n' : '-NOAUTH\r\n'));
        case 'PSYNC':
          if (!isKnown || served !== undefined) return void socket.end('-NOMASTERLINK\r\n');
          served = socket;
          socket.write(`+FULLRESYNC ${randomBytes(20).toString('hex')} 0\r\n`);
          return asked.resolve(socket);
        default:
          return void socket.write('-ERR unknown command\r\n');
      }
    });
  });
  server.listen(place.port, place.address);
  await once(server, 'listening').catch((error: unknown) => {
    throw targetError(`cannot listen at ${place.address ?? 'this machine'}: ${String(error)}`, { cause: error });
  });
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : place.port,
    asked: asked.promise,
    lost: lost.promise,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

const isSame = (given: string, password: string): boolean => {
  const [a, b] = [given, password].map((text) => createHash('sha256').update(text).digest());
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
};
