import { S3 } from '@aws-sdk/client-s3';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Service, serviceFolder } from '../../services/service.ts';
import { versitygw } from '../../services/versitygw.ts';

const BUCKET = 'bench';

/** A private S3 server with one bucket, for the cases that send bytes to a store. */
export interface BenchStore {
  readonly client: S3;
  readonly bucket: string;
  readonly endpoint: string;
  /** A repository in a prefix, for a policy. */
  readonly repository: (prefix: string) => Readonly<Record<string, unknown>>;
  /** What other programs need to reach it. */
  readonly env: Readonly<Record<string, string>>;
  /** Where the server keeps what is below a prefix. */
  readonly folder: (prefix: string) => string;
  /** Lets the server have what was put there. */
  readonly give: (prefix: string) => void;
  /** Removes everything below a prefix. */
  readonly empty: (prefix: string) => void;
  readonly stop: () => Promise<void>;
}

/** Starts a server; the usual one keeps objects as files. */
export async function startBenchStore(service: Service = versitygw): Promise<BenchStore> {
  const workDir = mkdtempSync(join(tmpdir(), 'bkp-bench-store-'));
  chmodSync(workDir, 0o755);
  const folder = serviceFolder(service);
  await service.install(folder);
  const { connection, stop } = await service.start(folder, workDir);
  const { endpoint = '', region = '', accessKeyId = '', secretAccessKey = '', buckets = '' } = connection;
  const client = new S3({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
  await client.createBucket({ Bucket: BUCKET });
  return {
    client,
    bucket: BUCKET,
    endpoint,
    repository: (prefix) => ({ type: 's3', endpoint, region, bucket: BUCKET, prefix, accessKeyId, secretAccessKey }),
    env: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_DEFAULT_REGION: region },
    folder: (prefix) => join(buckets, BUCKET, prefix),
    give: (prefix) => {
      const { uid, gid } = statSync(join(buckets, BUCKET));
      execFileSync('chown', ['-R', `${uid}:${gid}`, join(buckets, BUCKET, prefix)]);
    },
    empty: (prefix) => rmSync(join(buckets, BUCKET, prefix), { recursive: true, force: true }),
    stop: async () => {
      client.destroy();
      await stop();
      rmSync(workDir, { recursive: true, force: true });
    },
  };
}
