import type { NetConnectOpts } from 'node:net';
import type { TargetOf } from '../../engine.ts';

/** A server as the policy has it. */
export type RedisTarget = TargetOf<'redis'>;

export const CONNECT_TIMEOUT_MS = 15_000;

/** `cache.internal:6379`, or the path of the socket. */
export const serverOf = ({ host = 'localhost', port = 6379, socket }: RedisTarget): string =>
  socket ?? `${host}:${port}`;

/** Where the server listens, for Node. */
export const placeOf = ({ host = 'localhost', port = 6379, socket }: RedisTarget): NetConnectOpts =>
  socket === undefined ? { host, port } : { path: socket };
