import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { mkdirSync } from 'node:fs';
import { installGoProgram } from './go-program.ts';
import { startHttpServer } from './http-ready.ts';
import { installPythonProgram } from './python-program.ts';
import { makeHome } from './postgres.ts';
import { giveToServer } from './server-process.ts';
import type { Service } from './service.ts';

const VERSION = '1.8.0';
const AWSCLI_VERSION = '1.46.3';
const MODULE = `github.com/versity/versitygw/cmd/versitygw@v${VERSION}`;

/** An S3 server that keeps objects as files, with versioning where a bucket asks for it and several users. */
export const versitygw: Service = {
  name: 'versitygw',
  version: VERSION,
  kind: 's3',
  set: 'default',
  // With the client that people have.
  install: async (folder) => {
    await Promise.all([
      installGoProgram('versitygw', MODULE, folder),
      installPythonProgram('awscli', AWSCLI_VERSION, folder),
    ]);
  },
  start: async (folder, workDir) => {
    const home = makeHome(`versitygw-${VERSION}`, workDir);
    const place = (name: string): string => {
      const path = join(home.folder, name);
      mkdirSync(path);
      giveToServer(path);
      return path;
    };
    const [buckets, versions, users] = [place('buckets'), place('versions'), place('users')];
    const accessKeyId = 'bkp-test';
    const secretAccessKey = randomBytes(16).toString('hex');
    const program = join(folder, 'versitygw');
    const awscli = join(folder, `awscli-${AWSCLI_VERSION}`);
    const { pid, port, stop } = await startHttpServer(
      'versitygw',
      (free) => [
        program,
        '--port',
        `127.0.0.1:${free}`,
        '--region',
        'us-east-1',
        '--iam-dir',
        users,
        '--quiet',
        '--keep-alive',
        'posix',
        '--versioning-dir',
        versions,
        buckets,
      ],
      {
        env: { ...home.env, ROOT_ACCESS_KEY: accessKeyId, ROOT_SECRET_KEY: secretAccessKey },
        log: home.log,
        stopSignal: 'SIGTERM',
        path: '/',
        isReady: () => true,
      },
    );
    const endpoint = `http://127.0.0.1:${port}`;
    const connection = { endpoint, accessKeyId, secretAccessKey, region: 'us-east-1', buckets, program, awscli };
    return { connection: { ...connection, pid: `${pid}` }, stop };
  },
};
