import { UploadPartCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchCase } from '../case.ts';
import { makeRandomFile } from '../data/large-file.ts';
import { type BenchStore, startBenchStore } from '../data/store.ts';
import { nodeMemory } from '../flat-verdicts.ts';
import type { Lab } from '../lab.ts';
import { writePolicyInto } from '../policy.ts';
import { cpuRatio, roundRobin, type Side, wallRatio } from '../round-robin.ts';

const BYTES = 1_000_000_000;
const PART_BYTES = 8 * 1024 * 1024;
const BKP = 'bkp apply';
const RAW = 'node:http PUT parts';
const RESTIC = 'restic, new repository';

/** Parts of one object by node:http alone: nothing is hashed, and nothing else is stored. */
function rawSide({ client, bucket }: BenchStore, cwd: string, source: string): Side {
  const plan = join(cwd, 'plan.json');
  const object = { Bucket: bucket, Key: 'raw' };
  let upload: string | undefined;
  return {
    name: RAW,
    command: { argv: [process.execPath, join(import.meta.dirname, '../programs/put-parts.mjs'), source, plan], cwd },
    before: async () => {
      upload = (await client.createMultipartUpload(object)).UploadId;
      const numbers = Array.from({ length: Math.ceil(BYTES / PART_BYTES) }, (_, index) => index + 1);
      const sign = (PartNumber: number): Promise<string> =>
        getSignedUrl(client, new UploadPartCommand({ ...object, UploadId: upload, PartNumber }), { expiresIn: 3600 });
      writeFileSync(plan, JSON.stringify({ partBytes: PART_BYTES, urls: await Promise.all(numbers.map(sign)) }));
    },
    after: async () => void (await client.abortMultipartUpload({ ...object, UploadId: upload })),
  };
}

/** restic with its S3 back end; random bytes pass its compression as they are. */
export function resticSide(lab: Lab, store: BenchStore, name: string, script: string): Side {
  return {
    name,
    command: {
      argv: ['sh', '-c', script],
      cwd: lab.emptyFolder(name.replaceAll(/\W+/g, '-')),
      env: { ...store.env, RESTIC_PASSWORD: 'bench', RESTIC_REPOSITORY: `s3:${store.endpoint}/${store.bucket}/restic` },
    },
    after: () => store.empty('restic'),
  };
}

export const s3Put: BenchCase = {
  name: 's3-put',
  title: 'a file of 1 GB that does not compress, into an S3 store on this machine: stored, hashed, checked',
  tools: { restic: 'restic', tar: 'tar' },
  async run(lab) {
    const store = await startBenchStore();
    const cwd = lab.emptyFolder('s3-put');
    try {
      const source = makeRandomFile(join(cwd, 'source'), BYTES);
      const target = { type: 'files', paths: [source], compression: 'none', checks: 'fast' };
      writePolicyInto(cwd, target, store.repository('bkp'));
      const results = await roundRobin(
        [
          rawSide(store, cwd, source),
          {
            name: BKP,
            command: lab.bkp(['apply', '--yes', '--init-repositories'], { cwd }),
            after: () => {
              store.empty('bkp');
              rmSync(join(cwd, 'cache'), { recursive: true, force: true });
            },
          },
          resticSide(lab, store, RESTIC, `restic -q init && restic -q --no-cache backup ${source}`),
        ],
        lab.runs,
      );
      return {
        sides: results,
        verdicts: [cpuRatio(results, BKP, RAW, 1.5), nodeMemory(results, BKP), wallRatio(results, BKP, RESTIC, null)],
      };
    } finally {
      await store.stop();
      rmSync(cwd, { recursive: true, force: true });
    }
  },
};
