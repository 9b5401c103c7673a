import type { S3Repository } from '../generated/policy.ts';
import { openObject } from '../s3/download.ts';
import { createPartBuffers } from '../s3/part-buffers.ts';
import { removeObject } from '../s3/remove-object.ts';
import type { Store, StoreOptions } from '../s3/store.ts';
import { checkKey } from './key.ts';
import type { Repository, RepositoryEdge } from './repository.ts';
import { cloneObject } from './s3/clone.ts';
import { presignRead, presignWrite } from './s3/presign.ts';
import { listKeys, listObjects, pagesOfKeys } from './s3/list.ts';
import { readObject, statObject } from './s3/read.ts';
import { createRepositoryStore } from './s3/repository-store.ts';
import { sweepUploads } from './s3/sweep.ts';
import { replaceObject } from './s3/replace.ts';
import { createVersions } from './s3/versions.ts';
import { createCreator, putObject, putStream } from './s3/write.ts';

/**
 * A bucket of an S3-compatible store, or a prefix of one. Every write is one request or an upload that is completed by
 * one; what the store refuses or does not answer is an error, never an empty listing.
 */
export function openS3Repository(config: S3Repository, edge: RepositoryEdge, options?: StoreOptions): Repository {
  const store = createRepositoryStore(config, edge.clock, options);
  const buffers = createPartBuffers();
  const creator = createCreator(store);
  const versions = createVersions(store, creator);
  const checked = <T>(key: string, work: () => Promise<T>): Promise<T> =>
    Promise.resolve().then(() => (checkKey(key), work()));
  return {
    capabilities: { exclusiveCreate: config.singleWriter !== true },
    location: store.location,
    put: (key, content, expectedBytes) =>
      checked(key, () =>
        content instanceof Uint8Array
          ? putObject(store, key, content)
          : putStream(store, buffers, key, content, expectedBytes),
      ),
    create: (key, content) => checked(key, () => creator.create(key, content)),
    replace: (key, content, version) => checked(key, () => replaceObject(store, key, content, version)),
    read: (key) => checked(key, () => readObject(store, key)),
    open: (key) =>
      checked(key, () => {
        buffers.drop();
        return openObject(store, key);
      }),
    stat: (key) => checked(key, () => statObject(store, key)),
    list: (prefix, depth, expected) => listKeys(store, prefix, depth, expected),
    listVersions: (prefix, expected) => listObjects(store, prefix, 'deep', expected),
    pages: (prefix) => pagesOfKeys(store, prefix),
    remove: (key) => checked(key, () => removeObject(store, key)),
    clone: (from, to, bytes) => checked(from, () => checked(to, () => cloneObject(store, from, to, bytes))),
    sweep: () => sweepUploads(store, () => store.now() ?? edge.clock.now()),
    now: async () => {
      // What every inventory asks for is asked first: any answer tells the time.
      if (store.now() === undefined) await versions.keepsVersions();
      return store.now();
    },
    freeBytes: async () => undefined,
    localPath: (key) => {
      checkKey(key);
      return undefined;
    },
    presign: (key, validity) => checked(key, () => presignRead(store, key, validity)),
    presignUpload: (key, validity) => checked(key, () => presignWrite(store, key, validity)),
    versions,
    // A bucket that is not there cannot be made by anybody here: that is an error of whatever is asked of it.
    exists: async () => true,
    prepare: () => reach(store),
  };
}

/** Throws unless the bucket is there and may be listed. */
async function reach(store: Store): Promise<void> {
  await store.request({
    verb: 'use',
    object: '',
    send: (client, options) =>
      client.listObjectsV2({ Bucket: store.bucket, Prefix: store.prefix, MaxKeys: 1 }, options),
  });
}
