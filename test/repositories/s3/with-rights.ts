import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import type { S3Repository } from '../../../src/generated/policy.ts';
import { connectionOf } from '../../services/connection.ts';
import { adminOf, STORE } from './bucket.ts';

/** The same repository for a user who may do nothing but this. */
export async function withRights(config: S3Repository, actions: readonly string[]): Promise<S3Repository> {
  const { endpoint = '', accessKeyId = '', secretAccessKey = '', program = '' } = connectionOf(STORE);
  const [user, secret] = [`user-${randomUUID().slice(0, 8)}`, randomUUID()];
  const admin = ['admin', '--allow-insecure', '-a', accessKeyId, '-s', secretAccessKey, '-er', endpoint];
  execFileSync(program, [...admin, 'create-user', '-a', user, '-s', secret, '-r', 'user'], { stdio: 'ignore' });
  const { bucket } = config;
  const Resource = [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`];
  const statement = (of: readonly string[], resource: string | undefined): object => ({
    Effect: 'Allow',
    Principal: { AWS: [user] },
    Action: of,
    Resource: [resource],
  });
  const ofBucket = actions.filter((action) => /Bucket/.test(action));
  const ofObjects = actions.filter((action) => !/Bucket/.test(action));
  await adminOf(STORE).putBucketPolicy({
    Bucket: bucket,
    Policy: JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        ...(ofBucket.length === 0 ? [] : [statement(ofBucket, Resource[0])]),
        ...(ofObjects.length === 0 ? [] : [statement(ofObjects, Resource[1])]),
      ],
    }),
  });
  return { ...config, accessKeyId: user, secretAccessKey: secret };
}
