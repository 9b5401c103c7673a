import { randomUUID } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { S3 } from '@aws-sdk/client-s3';
import { onTestFinished } from 'vitest';
import type { S3Repository } from '../../../src/generated/policy.ts';
import { connectionOf, servicesToTry, startedServices } from '../../services/connection.ts';

/** Every started S3 server by its name and version. */
export const STORES: readonly string[] = [...servicesToTry('versitygw'), ...servicesToTry('minio')];

/** The server of the default set. */
export const STORE: string = startedServices('versitygw')[0] ?? '';

/** How to reach a server with all rights. */
export function adminOf(service: string): S3 {
  const { endpoint = '', accessKeyId = '', secretAccessKey = '', region = '' } = connectionOf(service);
  return new S3({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
}

/** Makes a bucket and gives the configuration of a repository below a prefix of it. */
async function newBucket(service: string = STORE): Promise<S3Repository> {
  const { endpoint = '', accessKeyId = '', secretAccessKey = '', region = '' } = connectionOf(service);
  const bucket = `test-${randomUUID()}`;
  await adminOf(service).createBucket({ Bucket: bucket });
  return { type: 's3', endpoint, region, bucket, prefix: 'deep/prefix', accessKeyId, secretAccessKey };
}

/** The same for one test: it goes with everything in it. */
export async function testBucket(service: string = STORE): Promise<S3Repository> {
  const config = await newBucket(service);
  onTestFinished(() => removeBucket(service, config.bucket));
  return config;
}

/** A bucket that keeps versions, or also locks them, for one test. */
export async function versionedBucket(keeps: 'versions' | 'locks', service: string = STORE): Promise<S3Repository> {
  const { endpoint = '', accessKeyId = '', secretAccessKey = '', region = '' } = connectionOf(service);
  const bucket = `test-${randomUUID()}`;
  const admin = adminOf(service);
  await admin.createBucket({ Bucket: bucket, ...(keeps === 'locks' ? { ObjectLockEnabledForBucket: true } : {}) });
  if (keeps === 'versions')
    await admin.putBucketVersioning({ Bucket: bucket, VersioningConfiguration: { Status: 'Enabled' } });
  onTestFinished(async () => {
    const { Versions = [] } = await admin.listObjectVersions({ Bucket: bucket });
    for (const { Key, VersionId } of keeps === 'locks' ? Versions : [])
      await admin.putObjectLegalHold({ Bucket: bucket, Key, VersionId, LegalHold: { Status: 'OFF' } });
    await removeBucket(service, bucket, keeps === 'locks');
  });
  return { type: 's3', endpoint, region, bucket, prefix: 'deep/prefix', accessKeyId, secretAccessKey };
}

/** Every version in a bucket, markers too: asked for without the repository. Oldest first for each key. */
export async function versionsIn(
  { bucket }: Pick<S3Repository, 'bucket'>,
  service: string = STORE,
): Promise<readonly { readonly Key: string; readonly VersionId: string; readonly isMarker: boolean }[]> {
  const { Versions = [], DeleteMarkers = [] } = await adminOf(service).listObjectVersions({ Bucket: bucket });
  const plain =
    (isMarker: boolean) => (one: { readonly Key?: string | undefined; readonly VersionId?: string | undefined }) => ({
      Key: one.Key ?? '',
      VersionId: one.VersionId ?? '',
      isMarker,
    });
  return [...Versions.toReversed().map(plain(false)), ...DeleteMarkers.map(plain(true))];
}

/**
 * Makes the locks of a bucket end as if their time had come: every object is there again in the same versions without a
 * lock, and manifests say that it ended long ago. Markers are gone.
 */
export async function endLocks({ bucket }: Pick<S3Repository, 'bucket'>, service: string = STORE): Promise<void> {
  const admin = adminOf(service);
  for (const { Key, VersionId, isMarker } of await versionsIn({ bucket }, service)) {
    const read = isMarker ? undefined : await admin.getObject({ Bucket: bucket, Key, VersionId });
    const text = await read?.Body?.transformToByteArray();
    await admin.deleteObject({ Bucket: bucket, Key, VersionId, BypassGovernanceRetention: true });
    if (text === undefined) continue;
    const ended = Buffer.from(text)
      .toString('latin1')
      .replace(/("lockedUntil": ")\d+/, '$12001');
    await admin.putObject({ Bucket: bucket, Key, Body: Buffer.from(ended, 'latin1') });
  }
}

/** Removes a bucket with all versions and unfinished uploads in it. */
async function removeBucket(service: string, bucket: string, bypass = false): Promise<void> {
  const admin = adminOf(service);
  const { Uploads: uploads = [] } = await admin.listMultipartUploads({ Bucket: bucket });
  for (const { Key, UploadId } of uploads) await admin.abortMultipartUpload({ Bucket: bucket, Key, UploadId });
  for (;;) {
    const { Versions = [], DeleteMarkers = [] } = await admin.listObjectVersions({ Bucket: bucket });
    const found = [...Versions, ...DeleteMarkers];
    if (found.length === 0) break;
    for (const { Key, VersionId } of found)
      // Only governance locks are used, so that everything goes.
      await admin.deleteObject({
        Bucket: bucket,
        Key,
        VersionId,
        ...(bypass ? { BypassGovernanceRetention: true } : {}),
      });
  }
  const folder = connectionOf(service)['buckets'];
  // What it leaves of folders that two runners emptied at once would keep it.
  if (folder !== undefined)
    for (const name of readdirSync(join(folder, bucket))) rmSync(join(folder, bucket, name), { recursive: true });
  await admin.deleteBucket({ Bucket: bucket });
  admin.destroy();
}

/** What an object holds, and null where there is none: asked for without the repository. */
export async function objectsIn(config: S3Repository, service: string = STORE): Promise<readonly string[]> {
  const { Contents = [] } = await adminOf(service).listObjectsV2({ Bucket: config.bucket });
  return Contents.map(({ Key }) => Key ?? '');
}

/** Uploads that were begun and neither completed nor aborted. */
export async function uploadsIn(config: S3Repository, service: string = STORE): Promise<readonly string[]> {
  const { Uploads = [] } = await adminOf(service).listMultipartUploads({ Bucket: config.bucket });
  return Uploads.map(({ Key }) => Key ?? '');
}
