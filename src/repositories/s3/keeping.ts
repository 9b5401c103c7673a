import type { Keeping } from '../object-versions.ts';
import { failureOf } from '../../s3/failure.ts';
import type { RepositoryStore } from './repository-store.ts';

/** What a bucket keeps, with the mode that locks have there. */
export interface BucketKeeping extends Keeping {
  readonly mode: 'GOVERNANCE' | 'COMPLIANCE';
  /** For how many days the bucket itself locks all that comes. */
  readonly defaultDays: number;
}

interface BucketLock {
  readonly isOn: boolean;
  readonly days: number;
  readonly mode: string | undefined;
}

const YEAR_DAYS = 365;

/**
 * Asks a bucket whether it keeps versions. Where the policy asks for locks it must, whatever these credentials may ask; who
 * may not see versions goes on as if there were none.
 */
export async function askVersions(store: RepositoryStore): Promise<boolean> {
  const isWanted = store.config.objectLock !== undefined;
  return ((await askVersioning(store)) ?? isWanted) && (isWanted || (await mayList(store)));
}

/**
 * Asks a bucket whether it locks the versions that it keeps. A lock that the bucket gives to everything holds besides the
 * policy's: the longer and stricter of the two is what snapshots get, so that none is asked to become shorter.
 */
export async function askKeeping(store: RepositoryStore, versions: boolean): Promise<BucketKeeping> {
  const { objectLock: wanted } = store.config;
  const lock = versions ? await askLock(store) : undefined;
  const objectLock = versions && (lock?.isOn ?? wanted !== undefined);
  const days = Math.max(lock?.days ?? 0, wanted?.days ?? 0);
  const isStrict = [lock?.mode, wanted?.mode.toUpperCase()].includes('COMPLIANCE');
  return {
    versions,
    objectLock,
    lockDays: objectLock && days > 0 ? days : null,
    defaultDays: lock?.days ?? 0,
    mode: isStrict ? 'COMPLIANCE' : 'GOVERNANCE',
  };
}

/** Undefined where these credentials may not ask, or the store does not know the question. */
async function askVersioning(store: RepositoryStore): Promise<boolean | undefined> {
  return store.request({
    verb: 'ask for the versioning of',
    object: '',
    send: async (client, options) => {
      try {
        const { Status } = await client.getBucketVersioning({ Bucket: store.bucket }, options);
        return Status !== undefined;
      } catch (error) {
        return unlessRefused(error);
      }
    },
  });
}

async function mayList(store: RepositoryStore): Promise<boolean> {
  return store.request({
    verb: 'list the versions of',
    object: '',
    send: async (client, options) => {
      try {
        await client.listObjectVersions({ Bucket: store.bucket, Prefix: store.prefix, MaxKeys: 1 }, options);
        return true;
      } catch (error) {
        return unlessRefused(error) ?? false;
      }
    },
  });
}

async function askLock(store: RepositoryStore): Promise<BucketLock | undefined> {
  return store.request({
    verb: 'ask for the object lock of',
    object: '',
    send: async (client, options) => {
      try {
        const answer = await client.getObjectLockConfiguration({ Bucket: store.bucket }, options);
        const { ObjectLockEnabled, Rule } = answer.ObjectLockConfiguration ?? {};
        const { Days = 0, Years = 0, Mode } = Rule?.DefaultRetention ?? {};
        return { isOn: ObjectLockEnabled === 'Enabled', days: Days + Years * YEAR_DAYS, mode: Mode };
      } catch (error) {
        if (failureOf(error).code === 'ObjectLockConfigurationNotFoundError')
          return { isOn: false, days: 0, mode: undefined };
        return unlessRefused(error);
      }
    },
  });
}

const REFUSALS = new Set(['AccessDenied', 'Forbidden', 'NotImplemented', 'MethodNotAllowed']);

function unlessRefused(error: unknown): undefined {
  const { code, status } = failureOf(error);
  if (REFUSALS.has(code) || status === 501 || status === 405) return undefined;
  throw error;
}
