import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { mkdirSync } from 'node:fs';
import { installGoProgram } from './go-program.ts';
import { startHttpServer } from './http-ready.ts';
import { makeHome } from './postgres.ts';
import { giveToServer } from './server-process.ts';
import type { Service } from './service.ts';

const VERSION = '0.0.0-20260212201848-7aac2a2c5b7c';

/** The S3 server that many run for themselves; it can encrypt what it stores. */
export const minio: Service = {
  name: 'minio',
  version: '20260212',
  kind: 's3',
  set: 'all',
  install: async (folder) => void (await installGoProgram('minio', `github.com/minio/minio@v${VERSION}`, folder)),
  start: async (folder, workDir) => {
    const home = makeHome('minio', workDir);
    mkdirSync(home.data);
    giveToServer(home.data);
    const accessKeyId = 'bkp-test';
    const secretAccessKey = randomBytes(16).toString('hex');
    const { pid, port, stop } = await startHttpServer(
      'minio',
      (free) => [join(folder, 'minio'), 'server', '--quiet', '--address', `127.0.0.1:${free}`, home.data],
      {
        env: {
          ...home.env,
          MINIO_ROOT_USER: accessKeyId,
          MINIO_ROOT_PASSWORD: secretAccessKey,
          MINIO_BROWSER: 'off',
          MINIO_UPDATE: 'off',
          MINIO_KMS_SECRET_KEY: `test-key:${Buffer.alloc(32).toString('base64')}`,
        },
        log: home.log,
        stopSignal: 'SIGTERM',
        path: '/minio/health/ready',
        isReady: (status) => status === 200,
      },
    );
    const endpoint = `http://127.0.0.1:${port}`;
    return { connection: { endpoint, accessKeyId, secretAccessKey, region: 'us-east-1', pid: `${pid}` }, stop };
  },
};
