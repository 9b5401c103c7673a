import { existsSync, statSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Context } from '../../src/context.ts';
import type { Repository } from '../../src/repositories/repository.ts';
import type { ManifestArtifact } from '../../src/snapshots/manifest.ts';
import type { ByteSink, CompressionMethod } from '../../src/streams/bytes.ts';
import { makeSigningKeys } from '../../src/signing/ed25519-key.ts';
import { signingWith, type Signing, withSigning } from '../../src/signing/signing.ts';
import { hashStored, verifyStored } from '../../src/streams/hash-stored.ts';
import { openArtifact } from '../../src/streams/open-artifact.ts';
import { storeArtifact } from '../../src/streams/store-artifact.ts';
import { openMemoryRepository } from '../repositories/memory-repository.ts';
import { isAlive, waitFor } from '../system/alive.ts';
import { testContext } from '../test-context.ts';
import { artifactOf, sampleBytes } from './samples.ts';
import { pathWith } from './tools.ts';

const signing = signingWith([makeSigningKeys().publicKey], () => undefined);
const RAW = sampleBytes(900_000);
const METHODS = ['zstd', 'gzip', 'none'] as const;
const SINKS = ['process', 'file', 'reader'] as const;

/** A repository of one object, as a file of this machine or not. */
function repositoryOf(bytes: Buffer, path: string | undefined): Repository {
  return {
    ...openMemoryRepository(),
    open: async () => Readable.from([bytes.subarray(0, 100), bytes.subarray(100)], { objectMode: false }),
    localPath: () => path,
  };
}

interface Setup {
  readonly context: Context;
  readonly folder: string;
  readonly read: (bytes: Buffer, artifact: ManifestArtifact, kind: ByteSink['kind']) => Promise<Buffer>;
}

async function setUp(programs: boolean, local: boolean, signal?: AbortSignal, signatures?: Signing): Promise<Setup> {
  const outer = await testContext();
  const path = programs ? process.env['PATH'] : await pathWith(outer.folder, ['cat', 'sh', 'head', 'sleep']);
  const options = { environment: { PATH: path }, ...(signal === undefined ? {} : { signal }) };
  const { context: plain, folder } = await testContext(options);
  const context = signatures === undefined ? plain : withSigning(plain, signatures);
  return {
    context,
    folder,
    async read(bytes, artifact, kind) {
      const stored = join(folder, 'stored');
      await writeFile(stored, bytes);
      const place = { repository: repositoryOf(bytes, local ? stored : undefined), key: 'b' };
      const out = join(folder, 'out');
      let read = Buffer.alloc(0);
      const sinks: Record<ByteSink['kind'], ByteSink> = {
        process: { kind: 'process', process: { argv: ['sh', '-c', `cat > ${out}`] } },
        file: { kind: 'file', path: out },
        reader: { kind: 'reader', read: async (raw) => void (read = await buffer(raw)) },
      };
      await openArtifact(artifact, place, context).into(sinks[kind]);
      return kind === 'reader' ? read : readFile(out);
    },
  };
}

async function stored(method: CompressionMethod, raw: Buffer = RAW): Promise<[Buffer, ManifestArtifact]> {
  const { context } = await testContext();
  const repository = openMemoryRepository();
  const source = { kind: 'stream', open: () => Readable.from([raw]) } as const;
  const compression = { method, level: 3 };
  const result = await storeArtifact({ artifact: { source }, compression, threads: 1, repository, key: 'b' }, context);
  return [await repository.read('b'), artifactOf(result, method)];
}

const ways = [
  ['programs, local file', true, true],
  ['programs, stream', true, false],
  ['Node alone, local file', false, true],
  ['Node alone, stream', false, false],
] as const;

describe.each(ways)('openArtifact (%s)', (_, programs, local) => {
  describe.each(METHODS)('%s', (method) => {
    test.each(SINKS)('into a %s', async (kind) => {
      const { read, folder } = await setUp(programs, local);
      const [bytes, artifact] = await stored(method);
      expect((await read(bytes, artifact, kind)).equals(RAW)).toBe(true);
      if (kind === 'file') expect(statSync(join(folder, 'out')).mode & 0o777).toBe(0o600);
    });

    test.each(SINKS)('a cut artifact is refused by a %s', async (kind) => {
      const { read, folder } = await setUp(programs, local);
      const [bytes, artifact] = await stored(method);
      for (const length of [bytes.length - 1, Math.floor(bytes.length / 2), 1]) {
        const cut = bytes.subarray(0, length);
        await expect(read(cut, artifact, kind)).rejects.toMatchObject({ code: 'integrity' });
        if (kind === 'file') expect(existsSync(join(folder, 'out'))).toBe(false);
        // Also where the manifest was forged to the same size: the format's own end is missing.
        const forged = { ...artifact, storedBytes: length };
        if (method === 'none' && kind === 'process') continue;
        await expect(read(cut, forged, kind)).rejects.toMatchObject({ code: 'integrity' });
        if (kind === 'file') expect(existsSync(join(folder, 'out'))).toBe(false);
      }
    });
  });

  test.each(SINKS)('a frame after the first is not lost (%s)', async (kind) => {
    const { read } = await setUp(programs, local);
    const bytes = Buffer.concat([zstdCompressSync(RAW.subarray(0, 1000)), zstdCompressSync(RAW.subarray(1000))]);
    for (const rawBytes of [RAW.length, null]) {
      const artifact = artifactOf({ rawBytes, storedBytes: bytes.length, storedSha256: '' }, 'zstd');
      if (programs) expect((await read(bytes, artifact, kind)).equals(RAW)).toBe(true);
      else await expect(read(bytes, artifact, kind)).rejects.toMatchObject({ code: 'integrity' });
      if (kind === 'file') return;
    }
  });

  test.each(SINKS)('another raw size than the manifest says is refused (%s)', async (kind) => {
    const { read } = await setUp(programs, local);
    const bytes = gzipSync(RAW);
    const artifact = artifactOf({ rawBytes: RAW.length + 1, storedBytes: bytes.length, storedSha256: '' }, 'gzip');
    if (kind === 'process' && programs) return void (await read(bytes, artifact, kind));
    await expect(read(bytes, artifact, kind)).rejects.toMatchObject({ code: 'integrity' });
  });

  test.each(SINKS.flatMap((kind) => (['none', 'zstd'] as const).map((method) => [kind, method] as const)))(
    'bytes that changed since they were checked are refused where signatures count (%s, %s)',
    async (kind, method) => {
      const [bytes, artifact] = await stored(method);
      const right = await setUp(programs, local, undefined, signing);
      expect((await right.read(bytes, artifact, kind)).equals(RAW)).toBe(true);
      const raw = Buffer.from(RAW);
      raw.writeUInt8(raw.readUInt8(0) ^ 1, 0);
      const [others, { storedBytes }] = await stored(method, raw);
      // As long as they should be, and whole in their own form.
      const checked = { ...artifact, storedBytes };
      const { read, folder } = await setUp(programs, local, undefined, signing);
      await expect(read(others, checked, kind)).rejects.toThrow('it is not what it was when it was checked');
      if (kind === 'file') expect(existsSync(join(folder, 'out'))).toBe(false);
    },
  );

  test('a consumer that fails early or late is the reason', async () => {
    const { context, folder } = await setUp(programs, local);
    const [bytes, artifact] = await stored('zstd', sampleBytes(5_000_000));
    const path = join(folder, 'stored');
    await writeFile(path, bytes);
    const place = { repository: repositoryOf(bytes, local ? path : undefined), key: 'b' };
    for (const script of ['head -c 10 > /dev/null; echo full >&2; exit 3', 'cat > /dev/null; echo full >&2; exit 3']) {
      const failed = openArtifact(artifact, place, context).into({
        kind: 'process',
        process: { argv: ['sh', '-c', script] },
      });
      await expect(failed).rejects.toMatchObject({
        code: 'tool',
        message: 'cannot restore with sh: exit code 3: full',
      });
    }
    const content = openArtifact(artifact, place, context).into({ kind: 'process', process: { argv: ['no-such'] } });
    await expect(content).rejects.toMatchObject({ code: 'tool' });
    const early = openArtifact(artifact, place, context).into({
      kind: 'process',
      process: { argv: ['sh', '-c', 'exit 0'] },
    });
    await expect(early).rejects.toMatchObject({ code: 'tool' });
  });

  test('a reader that throws is the reason; one that stops early still proves the rest', async () => {
    const { context, folder } = await setUp(programs, local);
    const [bytes, artifact] = await stored('zstd', sampleBytes(5_000_000));
    const path = join(folder, 'stored');
    await writeFile(path, bytes);
    const place = { repository: repositoryOf(bytes, local ? path : undefined), key: 'b' };
    const failing = openArtifact(artifact, place, context).into({
      kind: 'reader',
      read: async () => {
        throw new Error('not today');
      },
    });
    await expect(failing).rejects.toThrow('not today');
    await openArtifact(artifact, place, context).into({ kind: 'reader', read: async () => undefined });
    const forged = { ...artifact, rawBytes: 1 };
    const lazy = openArtifact(forged, place, context).into({ kind: 'reader', read: async () => undefined });
    await expect(lazy).rejects.toMatchObject({ code: 'integrity' });
  });

  test('an abort ends everything', async () => {
    const controller = new AbortController();
    const { context, folder } = await setUp(programs, local, controller.signal);
    const [bytes, artifact] = await stored('zstd', sampleBytes(5_000_000));
    const path = join(folder, 'stored');
    await writeFile(path, bytes);
    const place = { repository: repositoryOf(bytes, local ? path : undefined), key: 'b' };
    const pids = join(folder, 'pids');
    const running = openArtifact(artifact, place, context).into({
      kind: 'process',
      process: { argv: ['sh', '-c', `sleep 1000 & echo $$ $! > ${pids}; wait`] },
    });
    const started = await waitFor(pids);
    controller.abort();
    await expect(running).rejects.toMatchObject({ code: 'interrupted' });
    await expect.poll(() => started.some(isAlive)).toBe(false);
  });
});

test('an existing file is never written over', async () => {
  const { read, folder } = await setUp(true, true);
  await writeFile(join(folder, 'out'), 'mine');
  const [bytes, artifact] = await stored('zstd');
  await expect(read(bytes, artifact, 'file')).rejects.toMatchObject({ code: 'target' });
  expect(await readFile(join(folder, 'out'), 'utf8')).toBe('mine');
});

describe.each([true, false])('verifyStored (local file: %s)', (local) => {
  test('agrees with the manifest and sees one flipped bit', async () => {
    const { context, folder } = await testContext();
    const [bytes, artifact] = await stored('zstd', sampleBytes(4_000_000));
    const path = join(folder, 'stored');
    const place = (): { repository: Repository; key: string } => ({
      repository: repositoryOf(bytes, local ? path : undefined),
      key: 'b',
    });
    await writeFile(path, bytes);
    await verifyStored(artifact, place(), context);
    expect(await hashStored(place().repository, 'b', context)).toEqual({
      sha256: artifact.storedSha256,
      bytes: artifact.storedBytes,
    });
    const at = Math.floor(bytes.length / 2);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await writeFile(path, bytes);
    await expect(verifyStored(artifact, place(), context)).rejects.toMatchObject({ code: 'integrity' });
    await writeFile(path, '');
    if (local) await expect(verifyStored(artifact, place(), context)).rejects.toMatchObject({ code: 'integrity' });
  });

  test('says when an object is gone', async () => {
    const { context, folder } = await testContext();
    const repository: Repository = {
      ...openMemoryRepository(),
      localPath: () => (local ? join(folder, 'x') : undefined),
    };
    await expect(hashStored(repository, 'b', context)).rejects.toMatchObject({ code: 'not-found' });
  });
});
