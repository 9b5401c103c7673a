import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Context } from '../../src/context.ts';
import { repositoryError } from '../../src/errors.ts';
import type { Inspector } from '../../src/engines/engine.ts';
import type { Repository } from '../../src/repositories/repository.ts';
import type { ManifestArtifact } from '../../src/snapshots/manifest.ts';
import type { ByteSink, ByteSource, CompressionMethod } from '../../src/streams/bytes.ts';
import { openArtifact } from '../../src/streams/open-artifact.ts';
import { type StoredArtifact, storeArtifact } from '../../src/streams/store-artifact.ts';
import { openMemoryRepository } from '../repositories/memory-repository.ts';
import { isAlive, waitFor } from '../system/alive.ts';
import { testContext, testFolder } from '../test-context.ts';
import { type AgeKey, ageKey, sshKey } from './age-keys.ts';
import { artifactOf, sampleBytes } from './samples.ts';
import { findTool } from '../../src/system/find-tool.ts';
import { pathWith } from './tools.ts';

const LEVELS = { zstd: 3, gzip: 6, none: 0 } as const;
/** Around the edges of age's chunks of 64 KiB. */
const SIZES = [1, 65_535, 65_536, 65_537, 131_072, 10_000_000];
const WITH_AGE = ['age', 'zstd', 'gzip', 'cat', 'sh', 'head', 'sleep'];
const countBytes: Inspector = {
  open: () => {
    let bytes = 0;
    return { push: (chunk) => (bytes += chunk.length), end: () => ({ bytes }) };
  },
};

/** A context that knows the programs of one way, and a key. */
async function machine(tools: readonly string[], key?: AgeKey): Promise<{ context: Context; folder: string }> {
  const path = await pathWith(await testFolder(), tools);
  return testContext({ environment: { PATH: path }, identities: key?.identities });
}

const ways = {
  'with programs': WITH_AGE,
  'without the age program': WITH_AGE.filter((tool) => tool !== 'age'),
  'with age, compressed in Node': ['age', 'cat'],
  'in Node alone': ['cat'],
} as const;

interface Storing {
  readonly method?: CompressionMethod;
  readonly recipients: readonly string[];
  readonly repository: Repository;
  readonly inspect?: Inspector;
}

const store = (source: ByteSource, { method = 'zstd', inspect, ...rest }: Storing, context: Context) =>
  storeArtifact(
    {
      artifact: { source, ...(inspect === undefined ? {} : { inspect }) },
      compression: { method, level: LEVELS[method] },
      threads: 2,
      key: 'a/b',
      ...rest,
    },
    context,
  );

const encryptedArtifact = (stored: StoredArtifact, method: CompressionMethod): ManifestArtifact => ({
  ...artifactOf(stored, method),
  encryption: 'age',
});

async function readBack(artifact: ManifestArtifact, repository: Repository, context: Context): Promise<Buffer> {
  let back = Buffer.alloc(0);
  const sink: ByteSink = { kind: 'reader', read: async (stream) => void (back = await buffer(stream)) };
  await openArtifact(artifact, { repository, key: 'a/b' }, context).into(sink);
  return back;
}

const sourcesOf = (file: string, raw: Buffer): Record<string, ByteSource> => ({
  process: { kind: 'process', process: { argv: ['cat', file] } },
  file: { kind: 'file', path: file },
  stream: { kind: 'stream', open: () => Readable.from([raw.subarray(0, 7), raw.subarray(7)]) },
});

describe.each(Object.entries(ways))('an encrypted artifact %s', (_, tools) => {
  test.each(['zstd', 'gzip', 'none'] as const)('%s comes back byte for byte, whoever reads it', async (method) => {
    const key = await ageKey(await testFolder());
    const here = await machine(tools, key);
    const raw = sampleBytes(1_000_000);
    const file = join(here.folder, 'raw');
    await writeFile(file, raw);
    for (const [kind, source] of Object.entries(sourcesOf(file, raw))) {
      for (const inspect of [undefined, countBytes]) {
        const repository = openMemoryRepository();
        const order = {
          method,
          recipients: [key.recipient],
          repository,
          ...(inspect === undefined ? {} : { inspect }),
        };
        const stored = await store(source, order, here.context);
        const bytes = await repository.read('a/b');
        expect(bytes.toString('latin1', 0, 21)).toBe('age-encryption.org/v1');
        expect(stored.storedSha256).toBe(createHash('sha256').update(bytes).digest('hex'));
        expect(stored.storedBytes).toBe(bytes.length);
        if (inspect !== undefined || kind !== 'process') expect(stored.rawBytes).toBe(raw.length);
        expect(stored.facts).toEqual(inspect === undefined ? null : { bytes: raw.length });
        const artifact = encryptedArtifact(stored, method);
        for (const there of inspect === undefined && kind === 'file' ? Object.values(ways) : [tools]) {
          const { context } = await machine(there, key);
          expect((await readBack(artifact, repository, context)).equals(raw)).toBe(true);
        }
      }
    }
  });
});

test('what each way writes is read by the other, at the edges of a chunk', async () => {
  const key = await ageKey(await testFolder());
  const [program, library] = [await machine(WITH_AGE, key), await machine(['cat'], key)];
  for (const size of SIZES) {
    const raw = sampleBytes(size);
    for (const [writer, reader] of [[program, library] as const, [library, program] as const]) {
      const repository = openMemoryRepository();
      const source: ByteSource = { kind: 'stream', open: () => Readable.from([raw], { objectMode: false }) };
      const stored = await store(source, { method: 'none', recipients: [key.recipient], repository }, writer.context);
      const artifact = encryptedArtifact(stored, 'none');
      expect((await readBack(artifact, repository, reader.context)).equals(raw), `${size} bytes`).toBe(true);
    }
  }
});

test('an empty artifact is refused, whoever encrypts', async () => {
  const key = await ageKey(await testFolder());
  for (const tools of Object.values(ways)) {
    const { context } = await machine([...tools.filter((tool) => tool !== 'sh'), 'sh']);
    const repository = openMemoryRepository();
    for (const method of ['zstd', 'gzip', 'none'] as const) {
      const source: ByteSource = { kind: 'process', process: { argv: ['sh', '-c', 'exit 0'] } };
      const storing = store(source, { method, recipients: [key.recipient], repository }, context);
      await expect(storing).rejects.toMatchObject({ code: 'integrity', message: 'cannot store a/b: it is empty' });
    }
    expect(await repository.list('', 'deep')).toEqual([]);
  }
});

describe('keys', () => {
  test.each(['ed25519', 'rsa'] as const)(
    'an SSH key (%s) works with the program, and is refused without',
    async (type) => {
      const key = await sshKey(await testFolder(), type);
      const { context } = await machine(WITH_AGE, key);
      const repository = openMemoryRepository();
      const raw = sampleBytes(100_000);
      const source: ByteSource = { kind: 'stream', open: () => Readable.from([raw], { objectMode: false }) };
      const order = { recipients: [key.recipient], repository };
      const artifact = encryptedArtifact(await store(source, order, context), 'zstd');
      expect((await readBack(artifact, repository, context)).equals(raw)).toBe(true);
      const bare = await machine(['zstd'], key);
      await expect(store(source, order, bare.context)).rejects.toMatchObject({
        code: 'tool',
        message: expect.stringContaining('SSH keys need the age program') as unknown,
        hint: expect.stringContaining('apt-get install age') as unknown,
      });
      await expect(readBack(artifact, repository, bare.context)).rejects.toMatchObject({ code: 'tool' });
    },
  );

  test.each([
    ['the program', WITH_AGE],
    ['the library', ['zstd']],
  ])('several recipients: each opens it, others do not (%s)', async (_, tools) => {
    const folder = await testFolder();
    const [one, two, stranger] = [
      await ageKey(folder, 'one'),
      await ageKey(folder, 'two'),
      await ageKey(folder, 'three'),
    ];
    const repository = openMemoryRepository();
    const source: ByteSource = { kind: 'stream', open: () => Readable.from([Buffer.from('secret')]) };
    const { context } = await machine(tools);
    const order = { recipients: [one.recipient, two.recipient], repository };
    const artifact = encryptedArtifact(await store(source, order, context), 'zstd');
    for (const key of [one, two]) {
      expect((await readBack(artifact, repository, (await machine(tools, key)).context)).toString()).toBe('secret');
    }
    const { context: foreign } = await machine(tools, stranger);
    await expect(readBack(artifact, repository, foreign)).rejects.toMatchObject({ code: 'usage' });
    await expect(readBack(artifact, repository, context)).rejects.toMatchObject({
      code: 'usage',
      hint: expect.stringContaining('--identity') as unknown,
    });
  });
});

describe.each([
  ['the program', WITH_AGE],
  ['the library', ['zstd']],
] as const)('damage, read by %s', (_, tools) => {
  test.each(['zstd', 'none'] as const)('a flipped or cut byte never comes back as good (%s)', async (method) => {
    const key = await ageKey(await testFolder());
    const { context } = await machine(tools, key);
    const repository = openMemoryRepository();
    const raw = sampleBytes(150_000);
    const source: ByteSource = { kind: 'stream', open: () => Readable.from([raw], { objectMode: false }) };
    const stored = await store(source, { method, recipients: [key.recipient], repository }, context);
    const artifact = encryptedArtifact({ ...stored, rawBytes: null }, method);
    const bytes = await repository.read('a/b');
    const places = fc.integer({ min: 0, max: bytes.length - 1 });
    const spoiled = async (changed: Buffer): Promise<void> => {
      await repository.put('a/b', changed);
      // The manifest agrees with what is stored, so that nothing but age itself can notice.
      const forged = { ...artifact, storedBytes: changed.length };
      await expect(readBack(forged, repository, context)).rejects.toMatchObject({
        code: expect.stringMatching(/integrity|usage/) as unknown,
      });
    };
    await fc.assert(
      fc.asyncProperty(places, fc.integer({ min: 1, max: 255 }), async (at, mask) => {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ mask;
        await spoiled(changed);
      }),
      { numRuns: 25 },
    );
    await fc.assert(
      fc.asyncProperty(places, async (at) => spoiled(bytes.subarray(0, at))),
      { numRuns: 25, examples: [[bytes.length - 1], [bytes.length - 16], [65_552]] },
    );
  });
});

describe('a capture that fails stores nothing', () => {
  test.each(['zstd', 'none'] as const)('age killed in the pipe (%s)', async (method) => {
    const key = await ageKey(await testFolder());
    const folder = await testFolder();
    const path = await pathWith(
      folder,
      WITH_AGE.filter((tool) => tool !== 'age'),
    );
    // The real one, until somebody kills it.
    const age = findTool('age', process.env['PATH']) ?? '';
    await writeFile(join(path, 'age'), `#!/bin/sh\n(/bin/sleep 0.2; kill -9 $$) &\nexec ${age} "$@"\n`, {
      mode: 0o755,
    });
    const { context } = await testContext({ environment: { PATH: path } });
    const pids = join(folder, 'pids');
    const repository = openMemoryRepository();
    for (const script of [`exec cat /dev/urandom`, `head -c 200000 /dev/urandom; exec sleep 1000`]) {
      const source: ByteSource = { kind: 'process', process: { argv: ['sh', '-c', `echo $$ > ${pids}; ${script}`] } };
      const storing = store(source, { method, recipients: [key.recipient], repository }, context);
      await expect(storing).rejects.toMatchObject({
        code: 'tool',
        message: 'cannot encrypt with age: ended by SIGKILL',
      });
      expect(await repository.list('', 'deep')).toEqual([]);
      await expect.poll(async () => (await waitFor(pids)).some(isAlive)).toBe(false);
    }
  });

  test.each(Object.entries(ways))('a producer that fails after full output (%s)', async (_, tools) => {
    const key = await ageKey(await testFolder());
    const { context } = await machine([...new Set([...tools, 'sh', 'head'])]);
    const repository = openMemoryRepository();
    for (const inspect of [undefined, countBytes]) {
      const source: ByteSource = {
        kind: 'process',
        process: { argv: ['sh', '-c', 'head -c 100000 /dev/urandom; echo oops >&2; exit 3'] },
      };
      const order = { recipients: [key.recipient], repository, ...(inspect === undefined ? {} : { inspect }) };
      await expect(store(source, order, context)).rejects.toMatchObject({
        code: 'tool',
        message: 'cannot read with sh: exit code 3: oops',
      });
      expect(await repository.list('', 'deep')).toEqual([]);
    }
  });

  test.each(Object.entries(ways))('a full repository is the reason (%s)', async (_, tools) => {
    const key = await ageKey(await testFolder());
    const { context } = await machine([...new Set([...tools, 'sh', 'head'])]);
    const repository: Repository = {
      ...openMemoryRepository(),
      put: async (_key, content) => {
        for await (const chunk of content as Readable) if ((chunk as Buffer).length > 0) break;
        throw repositoryError('cannot write a/b: the disk is full');
      },
    };
    const source: ByteSource = {
      kind: 'process',
      process: { argv: ['sh', '-c', 'exec head -c 100000000 /dev/urandom'] },
    };
    const storing = store(source, { recipients: [key.recipient], repository }, context);
    await expect(storing).rejects.toThrow('cannot write a/b: the disk is full');
  });

  test('a wrong recipient', async () => {
    const { context } = await machine(WITH_AGE);
    const repository = openMemoryRepository();
    const source: ByteSource = { kind: 'stream', open: () => Readable.from([Buffer.from('data')]) };
    await expect(store(source, { recipients: ['age1wrong'], repository }, context)).rejects.toMatchObject({
      code: 'tool',
      message: expect.stringContaining('cannot encrypt with age') as unknown,
    });
    expect(await repository.list('', 'deep')).toEqual([]);
  });
});
