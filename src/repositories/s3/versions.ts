import type { ListObjectVersionsCommandOutput } from '@aws-sdk/client-s3';
import { repositoryError } from '../../errors.ts';
import { checkKey, isKeySegment } from '../key.ts';
import type { ObjectVersion, ObjectVersions } from '../object-versions.ts';
import { openObject } from '../../s3/download.ts';
import { failureOf } from '../../s3/failure.ts';
import { askKeeping, askVersions } from './keeping.ts';
import { presignRead } from './presign.ts';
import { readObject } from './read.ts';
import { isMissing } from '../../s3/answer.ts';
import { objectAt } from '../../s3/store.ts';
import type { RepositoryStore } from './repository-store.ts';
import { putObject, type Creator, type WrittenLock } from './write.ts';

/** The versions of a bucket. Nothing is asked of the store before they are used. */
export function createVersions(store: RepositoryStore, creator: Creator): ObjectVersions {
  const keepsVersions = answeredOnce(() => askVersions(store));
  const keeping = answeredOnce(async () => askKeeping(store, await keepsVersions()));
  return {
    isLockWanted: store.config.objectLock !== undefined,
    keepsVersions,
    keeping,
    list: (start) => listVersions(store, start),
    pages: (start) => pagesOfVersions(store, start),
    read: (key, version) => readObject(store, key, version),
    open: (key, version) => openObject(store, key, version),
    presign: (key, version, validity) => presignRead(store, key, validity, version),
    remove: (key, version) => removeVersion(store, key, version),
    lockOf: async (key, version) => {
      const { defaultDays } = await keeping();
      return store.request({
        verb: 'look at',
        object: key,
        send: async (client, options) => {
          const head = await client.headObject(objectAt(store, key, version), options);
          return {
            until: head.ObjectLockRetainUntilDate ?? byDefault(head.LastModified, defaultDays),
            isHeld: head.ObjectLockLegalHoldStatus === 'ON',
          };
        },
      });
    },
    retain: async (key, version, until) => {
      const Retention = { Mode: (await keeping()).mode, RetainUntilDate: until };
      await store.request({
        verb: 'lock',
        object: key,
        send: (client, options) =>
          client.putObjectRetention({ ...objectAt(store, key, version), Retention }, options).catch(lockRefused(store)),
      });
    },
    hold: async (key, version, isHeld) => {
      const LegalHold = { Status: isHeld ? ('ON' as const) : ('OFF' as const) };
      await store.request({
        verb: isHeld ? 'hold' : 'lift the hold of',
        object: key,
        send: (client, options) =>
          client.putObjectLegalHold({ ...objectAt(store, key, version), LegalHold }, options).catch(lockRefused(store)),
      });
    },
    locking: (until) => {
      const written = async (): Promise<WrittenLock> => ({
        ObjectLockMode: (await keeping()).mode,
        ObjectLockRetainUntilDate: until,
        ChecksumAlgorithm: 'CRC32',
      });
      return {
        create: async (key, content) => (checkKey(key), creator.create(key, content, await written())),
        put: async (key, content) => {
          checkKey(key);
          if (!(content instanceof Uint8Array)) throw new Error('only small objects are locked while they are written');
          return putObject(store, key, content, await written());
        },
        read: (key) => readObject(store, key),
      };
    },
  };
}

/** A question that is asked again only where it was not answered. */
function answeredOnce<T>(ask: () => Promise<T>): () => Promise<T> {
  let asking: Promise<T> | undefined;
  return () =>
    (asking ??= ask().catch((error: unknown) => {
      asking = undefined;
      throw error;
    }));
}

const DAY_MS = 86_400_000;

/** Some stores do not tell of a lock that the bucket gives to everything, and keep to it. */
const byDefault = (written: Date | undefined, days: number): Date | null =>
  written === undefined || days === 0 ? null : new Date(written.getTime() + days * DAY_MS);

/** A refusal to lock tells what the credentials lack, or that the bucket cannot. */
const lockRefused =
  (store: RepositoryStore) =>
  (error: unknown): never => {
    const { status, code } = failureOf(error);
    if (status !== 403 && code !== 'InvalidRequest') throw error;
    throw repositoryError(`cannot lock objects in ${store.location}: the store refuses it`, {
      hint: 'the credentials need s3:PutObjectRetention and s3:PutObjectLegalHold, and the bucket must be made with object lock',
    });
  };

async function listVersions(store: RepositoryStore, start: string): Promise<readonly ObjectVersion[]> {
  const found: ObjectVersion[] = [];
  for await (const page of pagesOfVersions(store, start)) found.push(...page);
  return [...found.filter(({ isMarker }) => !isMarker), ...found.filter(({ isMarker }) => isMarker)];
}

async function* pagesOfVersions(
  store: RepositoryStore,
  start: string,
): AsyncGenerator<readonly ObjectVersion[], undefined> {
  for (let from: Marker | undefined = {}; from !== undefined;) {
    const page: ListObjectVersionsCommandOutput = await listPage(store, start, from);
    from = nextMarker(page);
    yield versionsOn(page, store);
  }
  return undefined;
}

type Marker = { readonly KeyMarker?: string; readonly VersionIdMarker?: string };

const listPage = (store: RepositoryStore, start: string, from: Marker): Promise<ListObjectVersionsCommandOutput> =>
  store.request({
    verb: 'list the versions of',
    object: start,
    send: (client, options) =>
      client.listObjectVersions({ Bucket: store.bucket, Prefix: store.prefix + start, ...from }, options),
  });

function nextMarker(page: ListObjectVersionsCommandOutput): Marker | undefined {
  if (page.IsTruncated !== true || page.NextKeyMarker === undefined) return undefined;
  return {
    KeyMarker: page.NextKeyMarker,
    ...(page.NextVersionIdMarker === undefined ? {} : { VersionIdMarker: page.NextVersionIdMarker }),
  };
}

function versionsOn(page: ListObjectVersionsCommandOutput, { prefix }: RepositoryStore): readonly ObjectVersion[] {
  const objects = (page.Versions ?? []).map((one) => ({ ...one, isMarker: false }));
  const markers = (page.DeleteMarkers ?? []).map((one) => ({ ...one, Size: 0, ETag: '', isMarker: true }));
  return [...objects, ...markers].flatMap(({ Key, VersionId, Size, ETag, IsLatest, isMarker }) => {
    const key = Key?.slice(prefix.length);
    if (key === undefined || !key.split('/').every(isKeySegment)) return [];
    const isNewest = IsLatest === true;
    return { key, version: VersionId ?? 'null', isMarker, isNewest, bytes: Size ?? 0, content: ETag ?? '' };
  });
}

/** What a store says to a removal that a lock, a hold or its rights forbid. */
const FORBIDDEN = new Set(['AccessDenied', 'InvalidRequest', 'ObjectLocked', 'MethodNotAllowed']);
/** Rights reach all servers of a store with delay. */
const PATIENCE = 2;

async function removeVersion(store: RepositoryStore, key: string, version: string): Promise<boolean> {
  return store.request({
    verb: 'remove',
    object: key,
    send: async (client, options, earlier) => {
      try {
        await client.deleteObject(objectAt(store, key, version), options);
        return true;
      } catch (error) {
        const { code } = failureOf(error);
        if (isMissing(error)) return true;
        if (!FORBIDDEN.has(code) || (code === 'AccessDenied' && earlier < PATIENCE)) throw error;
        return false;
      }
    },
  });
}
