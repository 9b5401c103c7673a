import { failureOf } from '../../s3/failure.ts';
import { statObject } from './read.ts';
import { objectAt } from '../../s3/store.ts';
import type { RepositoryStore } from './repository-store.ts';
import { encryptionOf, removeUnlessEncrypted } from './write.ts';

/** What one CopyObject may copy: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html */
const LARGEST = 5 * 1024 ** 3;

/** Lets the store copy an object; false where it cannot, or would in several requests only, or it has another size. */
export async function cloneObject(store: RepositoryStore, from: string, to: string, bytes?: number): Promise<boolean> {
  const source = await statObject(store, from);
  if (source === undefined || source.bytes > LARGEST || source.bytes !== (bytes ?? source.bytes)) return false;
  const { storageClass } = store.config;
  const encryption = await store.request({
    verb: 'copy',
    object: to,
    isLong: true,
    send: async (client, options) => {
      try {
        const { Bucket, Key } = objectAt(store, from);
        const answer = await client.copyObject(
          {
            ...objectAt(store, to),
            CopySource: `${Bucket}/${Key.split('/').map(encodeURIComponent).join('/')}`,
            CopySourceIfMatch: source.version,
            ...encryptionOf(store),
            ...(storageClass === undefined ? {} : { StorageClass: storageClass as 'STANDARD' }),
          },
          options,
        );
        return { isDone: true, asked: answer.ServerSideEncryption };
      } catch (error) {
        const { code, status } = failureOf(error);
        if (status === 404 || status === 412 || status === 501 || code === 'NotImplemented') return { isDone: false };
        throw error;
      }
    },
  });
  if (!encryption.isDone) return false;
  await removeUnlessEncrypted(store, to, encryption.asked);
  return true;
}
