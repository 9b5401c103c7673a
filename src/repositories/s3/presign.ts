import { objectAt, type Store } from './store.ts';

/** A URL that reads an object for so long without further credentials. Nothing is asked of the store. */
export async function presignRead(store: Store, key: string, seconds: number, version?: string): Promise<string> {
  const [{ getSignedUrl }, { GetObjectCommand }] = await Promise.all([
    import('@aws-sdk/s3-request-presigner'),
    import('@aws-sdk/client-s3'),
  ]);
  return store.request({
    verb: 'sign a URL for',
    object: key,
    send: (client) => getSignedUrl(client, new GetObjectCommand(objectAt(store, key, version)), { expiresIn: seconds }),
  });
}
