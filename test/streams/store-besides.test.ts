import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { repositoryError } from '../../src/errors.ts';
import type { Repository } from '../../src/repositories/repository.ts';
import type { ByteSource, CompressionMethod } from '../../src/streams/bytes.ts';
import { type StoredArtifact, storeArtifact } from '../../src/streams/store-artifact.ts';
import { openMemoryRepository } from '../repositories/memory-repository.ts';
import { testContext } from '../test-context.ts';
import { sampleBytes } from './samples.ts';
import { pathWith } from './tools.ts';

const RAW = sampleBytes(6_000_000);
const LEVELS = { zstd: 3, gzip: 6, none: 0 } as const;
const source = (raw: Buffer = RAW): ByteSource => ({
  kind: 'stream',
  open: () => Readable.from([raw.subarray(0, 7), raw.subarray(7)], { objectMode: false }),
});

/** A repository that takes what comes until it breaks, or only very late. */
function failing(afterBytes: number): Repository {
  const put = async (_key: string, content: Readable | Uint8Array): Promise<never> => {
    let bytes = 0;
    for await (const chunk of content as Readable) {
      bytes += (chunk as Buffer).length;
      if (bytes >= afterBytes) break;
    }
    throw repositoryError('cannot write: no space left');
  };
  return { ...openMemoryRepository(), put };
}

async function storeIn(
  home: Repository,
  besides: readonly Repository[],
  method: CompressionMethod = 'zstd',
  from: ByteSource = source(),
  path = process.env['PATH'],
): Promise<StoredArtifact> {
  const { context } = await testContext({ environment: { PATH: path } });
  return storeArtifact(
    {
      artifact: { source: from },
      compression: { method, level: LEVELS[method] },
      threads: 1,
      repository: home,
      key: 'a/home',
      besides: besides.map((repository, index) => ({ repository, key: `a/beside-${index}` })),
    },
    context,
  );
}

describe.each(['with programs', 'in Node alone'])('one pass to several places %s', (how) => {
  test.each(['zstd', 'gzip', 'none'] as const)('%s: the same bytes everywhere', async (method) => {
    const { folder } = await testContext();
    const path = how === 'with programs' ? process.env['PATH'] : await pathWith(folder, ['cat']);
    const repositories = [openMemoryRepository(), openMemoryRepository(), openMemoryRepository()] as const;
    const [home, ...besides] = repositories;
    const stored = await storeIn(home, besides, method, source(), path);
    const bytes = await home.read('a/home');
    for (const [index, repository] of besides.entries()) {
      expect((await repository.read(`a/beside-${index}`)).equals(bytes)).toBe(true);
      expect(stored.besides[index]).toMatchObject({
        status: 'fulfilled',
        value: { storedBytes: stored.storedBytes, storedSha256: stored.storedSha256 },
      });
    }
  });
});

test.each([0, 1_000_000])('a place that breaks after %i bytes holds up nothing', async (afterBytes) => {
  const [home, other] = [openMemoryRepository(), openMemoryRepository()];
  const { besides, storedBytes } = await storeIn(home, [failing(afterBytes), other]);
  expect(besides.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  expect(besides[0]).toMatchObject({ reason: { message: 'cannot write: no space left' } });
  expect((await home.read('a/home')).length).toBe(storedBytes);
  expect((await other.read('a/beside-1')).length).toBe(storedBytes);
});

test('a capture that fails leaves nothing anywhere', async () => {
  const [home, other] = [openMemoryRepository(), openMemoryRepository()];
  const script = 'head -c 3000000 /dev/urandom; exit 3';
  const broken: ByteSource = { kind: 'process', process: { argv: ['sh', '-c', script] } };
  await expect(storeIn(home, [other], 'zstd', broken)).rejects.toThrow('exit code 3');
  expect(await home.list('', 'deep')).toEqual([]);
  expect(await other.list('', 'deep')).toEqual([]);
});

test('a first place that breaks breaks the others off', async () => {
  const other = openMemoryRepository();
  const endless: ByteSource = { kind: 'process', process: { argv: ['cat', '/dev/zero'] } };
  await expect(storeIn(failing(1_000_000), [other], 'none', endless)).rejects.toThrow('no space left');
  expect(await other.list('', 'deep')).toEqual([]);
});
