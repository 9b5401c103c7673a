import { failureOf } from '../../s3/failure.ts';
import { objectAt } from '../../s3/store.ts';
import type { RepositoryStore } from './repository-store.ts';
import { encryptionOf, putObject, removeUnlessEncrypted } from './write.ts';

/** What a store answers whose object is another one by now, was written at the same time, or is gone. */
const OVERTAKEN: ReadonlySet<number> = new Set([404, 409, 412]);

/**
 * Writes a small object only over the version that was seen, or where none was: false when the store refuses. After a lost
 * answer it may be false although it was written.
 */
export async function replaceObject(
  store: RepositoryStore,
  key: string,
  content: Uint8Array,
  version: string | undefined,
): Promise<boolean> {
  if (store.config.singleWriter === true) {
    await putObject(store, key, content);
    return true;
  }
  const [tag] = version?.split(' ') ?? [];
  const condition = tag === undefined ? { IfNoneMatch: '*' } : { IfMatch: tag };
  const written = await store.request({
    verb: 'write',
    object: key,
    send: async (client, options) => {
      try {
        return await client.putObject(
          { ...objectAt(store, key), Body: content, ...condition, ...encryptionOf(store) },
          options,
        );
      } catch (error) {
        const { code, status } = failureOf(error);
        if (OVERTAKEN.has(status) && code !== 'NoSuchBucket') return undefined;
        throw error;
      }
    },
  });
  if (written !== undefined) await removeUnlessEncrypted(store, key, written.ServerSideEncryption);
  return written !== undefined;
}
