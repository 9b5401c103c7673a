import type { Outgoing } from './outgoing.ts';
import { objectAt, type Store } from './store.ts';

/** Writes a small object in one request: whole, or not at all. The store checks the signed hash of what arrived. */
export async function sendBytes(
  store: Store,
  { key, headers, ifAbsent, confirm }: Outgoing,
  content: Uint8Array,
): Promise<{ readonly bytes: number }> {
  const { ServerSideEncryption } = await store.request({
    verb: 'write',
    object: key,
    send: (client, options) =>
      client.putObject(
        {
          ...headers,
          ...objectAt(store, key),
          Body: content,
          ...(ifAbsent === true ? { IfNoneMatch: '*' } : {}),
        },
        options,
      ),
  });
  await confirm(ServerSideEncryption);
  return { bytes: content.byteLength };
}
