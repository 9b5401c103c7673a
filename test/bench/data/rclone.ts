import { join } from 'node:path';
import type { BenchStore } from './store.ts';

/** What rclone 1.60 needs to read from the store of a case; its configuration, which is empty, stands in a folder of it. */
export const rcloneEnvironment = (store: BenchStore, cwd: string): Readonly<Record<string, string>> => ({
  ...store.env,
  RCLONE_S3_PROVIDER: 'Other',
  RCLONE_S3_ENV_AUTH: 'true',
  RCLONE_S3_ENDPOINT: store.endpoint,
  RCLONE_CONFIG: join(cwd, 'rclone.conf'),
  // It ends where one is set.
  AWS_CA_BUNDLE: '',
});
