import { objectAt, type Store } from '../../s3/store.ts';
import type { UrlValidity } from '../repository.ts';

const signedFor = ({ from, seconds }: UrlValidity): { readonly signingDate: Date; readonly expiresIn: number } => ({
  signingDate: from,
  expiresIn: seconds,
});

/** A URL that reads an object for a while without further credentials. Nothing is asked of the store. */
export async function presignRead(store: Store, key: string, validity: UrlValidity, version?: string): Promise<string> {
  const [{ getSignedUrl }, { GetObjectCommand }] = await Promise.all([
    import('@aws-sdk/s3-request-presigner'),
    import('@aws-sdk/client-s3'),
  ]);
  return store.request({
    verb: 'sign a URL for',
    object: key,
    send: (client) => getSignedUrl(client, new GetObjectCommand(objectAt(store, key, version)), signedFor(validity)),
  });
}

/**
 * A URL that writes an object by one plain PUT, whatever its content. A default encryption of the bucket holds; headers
 * would have to be sent by whoever has the URL.
 */
export async function presignWrite(store: Store, key: string, validity: UrlValidity): Promise<string> {
  const [{ getSignedUrl }, { PutObjectCommand }] = await Promise.all([
    import('@aws-sdk/s3-request-presigner'),
    import('@aws-sdk/client-s3'),
  ]);
  const command = new PutObjectCommand(objectAt(store, key));
  // The SDK would sign the checksum of no content at all.
  command.middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as { readonly headers: Record<string, string> };
      for (const name of Object.keys(headers)) if (/^x-amz-(?:sdk-)?checksum-/.test(name)) delete headers[name];
      return next(args);
    },
    { step: 'build', name: 'bkpNoChecksum', priority: 'low' },
  );
  return store.request({
    verb: 'sign a URL for',
    object: key,
    send: (client) => getSignedUrl(client, command, signedFor(validity)),
  });
}
