import { createHash } from 'node:crypto';
import { appendFileSync, readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import type { Context } from '../../src/context.ts';
import { integrityError, repositoryError } from '../../src/errors.ts';
import type { Inspector } from '../../src/engines/engine.ts';
import type { Repository } from '../../src/repositories/repository.ts';
import type { ByteSource, CompressionMethod } from '../../src/streams/bytes.ts';
import { openArtifact } from '../../src/streams/open-artifact.ts';
import { type StoredArtifact, storeArtifact } from '../../src/streams/store-artifact.ts';
import { withTimeLimits } from '../../src/streams/time-limits.ts';
import { openMemoryRepository } from '../repositories/memory-repository.ts';
import { isAlive, waitFor } from '../system/alive.ts';
import { testContext } from '../test-context.ts';
import { artifactOf, sampleBytes } from './samples.ts';
import { pathWith } from './tools.ts';

const LEVELS = { zstd: 3, gzip: 6, none: 0 } as const;
const shell = (script: string): ByteSource => ({ kind: 'process', process: { argv: ['sh', '-c', script] } });
const countBytes: Inspector = {
  open: () => {
    let bytes = 0;
    return { push: (chunk) => (bytes += chunk.length), end: () => ({ bytes }) };
  },
};

interface Storing {
  readonly method?: CompressionMethod;
  readonly inspect?: Inspector;
  readonly repository?: Repository;
  readonly onProgress?: (bytes: number) => void;
}

async function store(source: ByteSource, context: Context, options: Storing = {}): Promise<StoredArtifact> {
  const { method = 'zstd', repository = openMemoryRepository(), inspect, onProgress } = options;
  return storeArtifact(
    {
      artifact: { source, ...(inspect === undefined ? {} : { inspect }) },
      compression: { method, level: LEVELS[method] },
      threads: 2,
      repository,
      key: 'a/b',
      ...(onProgress === undefined ? {} : { onProgress }),
    },
    context,
  );
}

describe.each(['with programs', 'in Node alone'])('storeArtifact %s', (how) => {
  describe.each(['zstd', 'gzip', 'none'] as const)('%s', (method) => {
    test.each(['process', 'file', 'stream'] as const)('a %s comes back byte for byte', async (kind) => {
      const first = await testContext();
      const path = how === 'with programs' ? process.env['PATH'] : await pathWith(first.folder, ['cat']);
      const { context, folder } = await testContext({ environment: { PATH: path } });
      const raw = sampleBytes(3_000_000);
      const file = join(folder, 'raw');
      await writeFile(file, raw);
      const sources: Record<typeof kind, ByteSource> = {
        process: { kind: 'process', process: { argv: ['cat', file] } },
        file: { kind: 'file', path: file },
        stream: { kind: 'stream', open: () => Readable.from([raw.subarray(0, 7), raw.subarray(7)]) },
      };
      for (const inspect of [undefined, countBytes]) {
        const repository = openMemoryRepository();
        const stored = await store(sources[kind], context, {
          method,
          repository,
          ...(inspect === undefined ? {} : { inspect }),
        });
        const bytes = await repository.read('a/b');
        expect(stored.storedSha256).toBe(createHash('sha256').update(bytes).digest('hex'));
        expect(stored.storedBytes).toBe(bytes.length);
        expect(stored.facts).toEqual(inspect === undefined ? null : { bytes: raw.length });
        expect([raw.length, null]).toContain(stored.rawBytes);
        if (inspect !== undefined || kind !== 'process') expect(stored.rawBytes).toBe(raw.length);
        const artifact = artifactOf(stored, method);
        let back = Buffer.alloc(0);
        await openArtifact(artifact, { repository, key: 'a/b' }, context).into({
          kind: 'reader',
          read: async (stream) => void (back = await buffer(stream)),
        });
        expect(back.equals(raw)).toBe(true);
      }
    });
  });
});

describe('storeArtifact fails and stores nothing', () => {
  const failing: Readonly<Record<string, [ByteSource, object]>> = {
    'a producer that fails after full output': [
      shell('head -c 100000 /dev/urandom; echo oops >&2; exit 3'),
      { code: 'tool', message: 'cannot read with sh: exit code 3: oops' },
    ],
    'a killed producer': [
      shell('head -c 100000 /dev/urandom; kill -9 $$'),
      { code: 'tool', message: 'cannot read with sh: ended by SIGKILL' },
    ],
    'a missing producer': [
      { kind: 'process', process: { argv: ['no-such-program'] } },
      { code: 'tool', message: 'cannot run no-such-program: no such program on PATH' },
    ],
    'a producer without a folder': [
      { kind: 'process', process: { argv: ['cat'], cwd: '/nonexistent' } },
      { code: 'tool', message: expect.stringContaining('cannot start cat') as unknown },
    ],
    'an empty artifact': [shell('exit 0'), { code: 'integrity', message: 'cannot store a/b: it is empty' }],
    'a judged producer': [
      {
        kind: 'process',
        process: { argv: ['sh', '-c', 'echo data; exit 2'] },
        judge: () => ({ verdict: 'failed', reason: 'a file cannot be read', hint: 'run as its owner' }),
      },
      { code: 'target', message: 'cannot read with sh: a file cannot be read', hint: 'run as its owner' },
    ],
    'a broken stream': [
      {
        kind: 'stream',
        open: () =>
          Readable.from(
            (function* () {
              yield Buffer.from('some');
              throw new Error('lost');
            })(),
          ),
      },
      { code: 'target', message: 'cannot read the source: lost' },
    ],
  };
  describe.each(Object.entries(failing))('%s', (_, [source, error]) => {
    test.each(['zstd', 'gzip', 'none'] as const)('%s', async (method) => {
      const { context } = await testContext();
      for (const inspect of [undefined, countBytes]) {
        const repository = openMemoryRepository();
        const storing = store(source, context, { method, repository, ...(inspect === undefined ? {} : { inspect }) });
        await expect(storing).rejects.toMatchObject(error);
        expect(await repository.list('', 'deep')).toEqual([]);
      }
    });
  });

  test('a reader that finds damage ends an endless producer', async () => {
    const { context, folder } = await testContext();
    const repository = openMemoryRepository();
    const pids = join(folder, 'pids');
    const storing = store(shell(`echo $$ > ${pids}; exec yes`), context, {
      repository,
      inspect: {
        open: () => ({
          push: () => {
            throw integrityError('cannot read it: no end mark');
          },
          end: () => ({}),
        }),
      },
    });
    await expect(storing).rejects.toThrow('cannot read it: no end mark');
    expect(await repository.list('', 'deep')).toEqual([]);
    await expect.poll(async () => (await waitFor(pids)).some(isAlive)).toBe(false);
  });

  test('a full repository is the reason, and the producer ends', async () => {
    const { context, folder } = await testContext();
    const pids = join(folder, 'pids');
    const repository: Repository = {
      ...openMemoryRepository(),
      put: async (_key, content) => {
        for await (const chunk of content as Readable) if ((chunk as Buffer).length > 0) break;
        throw repositoryError('cannot write a/b: the disk is full');
      },
    };
    for (const inspect of [undefined, countBytes]) {
      const storing = store(shell(`echo $$ > ${pids}; exec head -c 1000000000 /dev/urandom`), context, {
        repository,
        ...(inspect === undefined ? {} : { inspect }),
      });
      await expect(storing).rejects.toThrow('cannot write a/b: the disk is full');
      await expect.poll(async () => (await waitFor(pids)).some(isAlive)).toBe(false);
    }
  });

  test('a repository that wrote less than it was given', async () => {
    const { context } = await testContext();
    const inner = openMemoryRepository();
    const repository: Repository = {
      ...inner,
      put: async (key, content) => ({ bytes: (await inner.put(key, content)).bytes - 1 }),
    };
    await expect(store(shell('echo data'), context, { repository })).rejects.toMatchObject({ code: 'integrity' });
    expect(await inner.list('', 'deep')).toEqual([]);
  });

  test('a file that changes while it is read', async () => {
    const { context, folder } = await testContext();
    const path = join(folder, 'raw');
    await writeFile(path, sampleBytes(2_000_000));
    const repository = openMemoryRepository();
    let isChanged = false;
    const change = (): void => {
      if (!isChanged) appendFileSync(path, 'more');
      isChanged = true;
    };
    const storing = store({ kind: 'file', path }, context, {
      repository,
      inspect: { open: () => ({ push: change, end: () => ({}) }) },
    });
    await expect(storing).rejects.toMatchObject({ code: 'integrity' });
    expect(await repository.list('', 'deep')).toEqual([]);
  });

  test.each(['zstd', 'none'] as const)('an abort, and nothing stays behind (%s)', async (method) => {
    const controller = new AbortController();
    const { context, folder } = await testContext({ signal: controller.signal });
    const repository = openMemoryRepository();
    const pids = join(folder, 'pids');
    const storing = store(shell(`sleep 1000 & echo $$ $! > ${pids}; exec yes`), context, { method, repository });
    const started = await waitFor(pids);
    controller.abort();
    await expect(storing).rejects.toMatchObject({ code: 'interrupted' });
    expect(await repository.list('', 'deep')).toEqual([]);
    await expect.poll(() => started.some(isAlive)).toBe(false);
    expect(readdirSync(context.workDir)).toEqual([]);
  });

  test('silence', async () => {
    const { context } = await testContext();
    const limits = { idleTimeoutMs: 200, timeoutMs: null };
    const storing = withTimeLimits('capture app', limits, context, (limited, progressed) =>
      store(shell('echo data; sleep 1000'), limited, { method: 'none', onProgress: progressed }),
    );
    await expect(storing).rejects.toMatchObject({ code: 'target', message: 'cannot capture app: no byte for 0.2s' });
  });
});

test('a producer that asks for a retry is stored with its warnings', async () => {
  const { context } = await testContext();
  const source: ByteSource = {
    kind: 'process',
    process: { argv: ['sh', '-c', 'echo data; exit 1'] },
    judge: (end) => ({ verdict: 'retry', warnings: [`it ended with ${end.exitCode}`] }),
  };
  expect(await store(source, context)).toMatchObject({ retry: true, warnings: ['it ended with 1'] });
});

test('compressed bytes are what the program itself makes', async () => {
  const { context, folder } = await testContext();
  const file = join(folder, 'raw');
  await writeFile(file, sampleBytes(500_000));
  const repository = openMemoryRepository();
  await store({ kind: 'file', path: file }, context, { repository });
  await writeFile(join(folder, 'raw.zst'), await repository.read('a/b'));
  const { exitCode } = await context.run({
    argv: ['zstd', '-dq', join(folder, 'raw.zst'), '-o', join(folder, 'back')],
  });
  expect(exitCode).toBe(0);
  expect((await readFile(join(folder, 'back'))).equals(await readFile(file))).toBe(true);
});

test('progress that work reports keeps it from being idle', async () => {
  let now = 0;
  const { context } = await testContext({ clock: { now: () => new Date(), monotonicMs: () => now } });
  const limits = { idleTimeoutMs: 50, timeoutMs: null };
  const result = await withTimeLimits('capture app', limits, context, async (limited) => {
    for (let beat = 0; beat < 8; beat += 1) {
      now += 40;
      limited.emit({ type: 'progress', subject: 'app', bytes: beat, totalBytes: null });
      await limited.run({ argv: ['sleep', '0.06'] });
    }
    return 'done';
  });
  expect(result).toBe('done');
});

test('the whole may not take longer than asked', async () => {
  const { context } = await testContext();
  const limits = { idleTimeoutMs: null, timeoutMs: 200 };
  const running = withTimeLimits('capture app', limits, context, (limited) => limited.run({ argv: ['sleep', '1000'] }));
  await expect(running).rejects.toThrow('cannot capture app: no end after 0.2s');
});
