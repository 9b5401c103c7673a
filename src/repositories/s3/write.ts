import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { repositoryError, type BkpError } from '../../errors.ts';
import { failureOf } from '../../s3/failure.ts';
import { statObject } from './read.ts';
import type { Outgoing } from '../../s3/outgoing.ts';
import type { PartBuffers } from '../../s3/part-buffers.ts';
import { removeObject } from '../../s3/remove-object.ts';
import { sendBytes } from '../../s3/send-bytes.ts';
import { sendStream } from '../../s3/send-stream.ts';
import { objectAt } from '../../s3/store.ts';
import type { RepositoryStore } from './repository-store.ts';

/** Metadata that says which call wrote an object: tells after a lost answer whether it was this one. */
const WRITER = 'bkp-writer';

/** Encryption that the store is asked for. */
export function encryptionOf({ config }: RepositoryStore): {
  readonly ServerSideEncryption?: 'AES256' | 'aws:kms' | 'aws:kms:dsse';
  readonly SSEKMSKeyId?: string;
} {
  const { serverSideEncryption, kmsKeyId } = config;
  if (serverSideEncryption === undefined) return {};
  return {
    ServerSideEncryption: serverSideEncryption,
    ...(kmsKeyId === undefined ? {} : { SSEKMSKeyId: kmsKeyId }),
  };
}

/** A lock that an object has from its first moment. */
export interface WrittenLock {
  readonly ObjectLockMode: 'GOVERNANCE' | 'COMPLIANCE';
  readonly ObjectLockRetainUntilDate: Date;
  /** Stores ask for one with every lock. */
  readonly ChecksumAlgorithm: 'CRC32';
}

/** Writes a small object in one request: whole, or not at all. The store checks the signed hash of what arrived. */
export const putObject = (
  store: RepositoryStore,
  key: string,
  content: Uint8Array,
  lock?: WrittenLock,
): Promise<{ readonly bytes: number }> =>
  sendBytes(store, { ...ownObject(store, key), headers: { ...encryptionOf(store), ...lock } }, content);

/** Stores a stream: see `sendStream`. */
export const putStream = (
  store: RepositoryStore,
  buffers: PartBuffers,
  key: string,
  content: Readable,
  expectedBytes?: number,
): Promise<{ readonly bytes: number }> => sendStream(store, buffers, ownObject(store, key), content, expectedBytes);

/** An artifact on its way. Its metadata tells after a lost answer whether what is there is this one. */
function ownObject(store: RepositoryStore, key: string): Outgoing {
  const writer = randomUUID();
  const { storageClass } = store.config;
  return {
    key,
    headers: {
      Metadata: { [WRITER]: writer },
      ...encryptionOf(store),
      ...(storageClass === undefined ? {} : { StorageClass: storageClass as 'STANDARD' }),
    },
    whose({ Metadata }) {
      const found = Metadata?.[WRITER];
      return found === undefined ? 'unknown' : found === writer ? 'ours' : 'another';
    },
    confirm: (encryption) => removeUnlessEncrypted(store, key, encryption),
  };
}

/** Takes an object back where encryption was asked for and the store's answer does not confirm it. */
export async function removeUnlessEncrypted(
  store: RepositoryStore,
  key: string,
  confirmed: string | undefined,
): Promise<void> {
  const { serverSideEncryption } = store.config;
  if (serverSideEncryption === undefined || confirmed === serverSideEncryption) return;
  await removeObject(store, key);
  throw repositoryError(
    `cannot write to ${store.location}: the store does not encrypt with ${serverSideEncryption}, as \`serverSideEncryption\` asks`,
    { hint: 'switch that on in the store, or encrypt on this machine and leave `serverSideEncryption` out' },
  );
}

/** Creates small objects exclusively. */
export interface Creator {
  create(key: string, content: Uint8Array, lock?: WrittenLock): Promise<boolean>;
}

/**
 * The first object that a process creates is created twice: a store that lets the second one pass ignores
 * `If-None-Match`, where two runners would both believe to be the first. Then what was created is taken back.
 */
export function createCreator(store: RepositoryStore): Creator {
  let isProven = false;
  return {
    async create(key, content, lock) {
      if (store.config.singleWriter === true) {
        if ((await statObject(store, key)) !== undefined) return false;
        await putObject(store, key, content, lock);
        return true;
      }
      const writer = randomUUID();
      if (!(await createOnce(store, key, { content, lock }, writer))) {
        isProven = true;
        return false;
      }
      if (isProven) return true;
      // Somebody may have removed it between the first and the second; not again between the second and the third.
      for (let tries = 1; tries <= 2 && !isProven; tries++) isProven = await isRefused(store, key, { content }, writer);
      if (isProven) return true;
      await removeObject(store, key);
      throw noExclusiveCreate(store, 'it ignores `If-None-Match`');
    },
  };
}

const noExclusiveCreate = ({ location }: RepositoryStore, reason: string): BkpError =>
  repositoryError(`cannot create objects exclusively in ${location}: ${reason}`, {
    hint: 'where only one runner writes there, set `singleWriter: true` on the repository',
  });

interface Creation {
  readonly content: Uint8Array;
  readonly lock?: WrittenLock | undefined;
}

async function createOnce(store: RepositoryStore, key: string, creation: Creation, writer: string): Promise<boolean> {
  const { isTaken, encryption } = await store.request({
    verb: 'create',
    object: key,
    send: async (client, options, earlier) => {
      try {
        const { ServerSideEncryption } = await client.putObject(conditional(store, key, creation, writer), options);
        return { isTaken: false, encryption: ServerSideEncryption };
      } catch (error) {
        const { code, status } = failureOf(error);
        if (code === 'NotImplemented' || status === 501)
          throw noExclusiveCreate(store, 'it does not know `If-None-Match`');
        if (status !== 412) throw error;
        if (earlier === 0) return { isTaken: true, encryption: undefined };
        // The answer to an earlier try may have been lost on its way.
        const head = await client.headObject(objectAt(store, key), options);
        return { isTaken: head.Metadata?.[WRITER] !== writer, encryption: head.ServerSideEncryption };
      }
    },
  });
  if (!isTaken) await removeUnlessEncrypted(store, key, encryption);
  return !isTaken;
}

async function isRefused(store: RepositoryStore, key: string, creation: Creation, writer: string): Promise<boolean> {
  return store.request({
    verb: 'create',
    object: key,
    send: async (client, options) => {
      try {
        await client.putObject(conditional(store, key, creation, writer), options);
        return false;
      } catch (error) {
        if (failureOf(error).status === 412) return true;
        throw error;
      }
    },
  });
}

const conditional = (
  store: RepositoryStore,
  key: string,
  { content, lock }: Creation,
  writer: string,
): Partial<WrittenLock> & {
  readonly Bucket: string;
  readonly Key: string;
  readonly Body: Uint8Array;
  readonly IfNoneMatch: '*';
  readonly Metadata: Record<string, string>;
} => ({
  ...objectAt(store, key),
  Body: content,
  IfNoneMatch: '*',
  Metadata: { [WRITER]: writer },
  ...encryptionOf(store),
  ...lock,
});
