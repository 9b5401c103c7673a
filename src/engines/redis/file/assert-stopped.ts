import { once } from 'node:events';
import { createConnection } from 'node:net';
import type { Context } from '../../../context.ts';
import { guardError, throwIfAborted } from '../../../errors.ts';
import { placeOf, type RedisTarget, serverOf } from '../server/connection.ts';

const PATIENCE_MS = 5_000;

/** Throws `guard` while something listens where the server does: it would write over the files when it ends. */
export async function assertStopped(target: RedisTarget, context: Context): Promise<void> {
  throwIfAborted(context.signal);
  const socket = createConnection(placeOf(target));
  socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error('silent')));
  const isRunning = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  if (!isRunning) return;
  throw guardError(`cannot place files for redis at ${serverOf(target)}: it runs, and would write over them`, {
    hint: 'stop it first (SHUTDOWN NOSAVE keeps it from writing its dump once more)',
  });
}
