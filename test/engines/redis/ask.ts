import { createClient, RESP_TYPES } from '@redis/client';
import type { TargetOf } from '../../../src/engines/engine.ts';

export type Words = readonly (string | Buffer)[];

/** Runs commands in their order on the server of a target; bulk answers are bytes. */
export async function ask(
  { host, port = 0, password = '' }: Pick<TargetOf<'redis'>, 'host' | 'port' | 'password'>,
  ...commands: readonly Words[]
): Promise<readonly unknown[]> {
  const socket = { host: host ?? '127.0.0.1', port, reconnectStrategy: false } as const;
  const client = createClient({ RESP: 2, password, socket });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const typeMapping = { [RESP_TYPES.BLOB_STRING]: Buffer } as const;
    return await Promise.all(commands.map((words) => client.sendCommand([...words], { typeMapping })));
  } finally {
    client.destroy();
  }
}

/** The answer to one command, as text. */
export const askText = async (target: Parameters<typeof ask>[0], ...words: Words): Promise<string> =>
  String((await ask(target, words))[0]);
