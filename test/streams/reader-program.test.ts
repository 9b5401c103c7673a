import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Context } from '../../src/context.ts';
import { openArchiveInspector } from '../../src/engines/files/archive-reader.ts';
import type { Inspector } from '../../src/engines/engine.ts';
import type { Repository } from '../../src/repositories/repository.ts';
import { type StoredArtifact, storeArtifact } from '../../src/streams/store-artifact.ts';
import { openMemoryRepository } from '../repositories/memory-repository.ts';
import { isAlive, waitFor } from '../system/alive.ts';
import { testContext } from '../test-context.ts';
import { sampleBytes } from './samples.ts';
import { pathWith } from './tools.ts';

const AS_PROGRAM: Inspector = { open: openArchiveInspector, program: 'tar' };
const IN_NODE: Inspector = { open: openArchiveInspector };

const store = (
  script: string,
  context: Context,
  inspect: Inspector,
  repository: Repository = openMemoryRepository(),
): Promise<StoredArtifact> =>
  storeArtifact(
    {
      artifact: { source: { kind: 'process', process: { argv: ['/bin/sh', '-c', script] } }, inspect },
      compression: { method: 'zstd', level: 3 },
      threads: 2,
      repository,
      key: 'a/b',
    },
    context,
  );

/** An archive of a few megabytes. */
function makeArchive(folder: string): string {
  mkdirSync(join(folder, 'tree/sub'), { recursive: true });
  for (let index = 0; index < 50; index++) writeFileSync(join(folder, 'tree/sub', `${index}`), sampleBytes(70_000));
  const archive = join(folder, 'tree.tar');
  execFileSync('tar', ['--format=posix', '-C', folder, '-cf', archive, 'tree']);
  return archive;
}

/** Readers that this process started. */
function readers(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const parent = /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
        return Number(parent) === process.pid && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('read-tar');
      } catch {
        return false;
      }
    });
}

test.each(['with programs', 'in Node alone'])('it finds what the reader in Node finds, %s', async (how) => {
  const { folder } = await testContext();
  const path = how === 'with programs' ? process.env['PATH'] : await pathWith(folder, ['cat']);
  const { context } = await testContext({ environment: { PATH: path } });
  const archive = makeArchive(folder);
  const stored = await store(`cat ${archive}`, context, AS_PROGRAM);
  const { facts, rawBytes } = await store(`cat ${archive}`, context, IN_NODE);
  expect(stored).toMatchObject({ facts, rawBytes });
  expect(stored.rawBytes).toBe(readFileSync(archive).length);
  expect(stored.facts).toMatchObject({ entries: 52, files: 50 });
  expect(readers()).toEqual([]);
});

test.each([AS_PROGRAM, IN_NODE])(
  'what it finds wrong is told, unless the program before it failed',
  async (inspect) => {
    const { context, folder } = await testContext();
    const archive = makeArchive(folder);
    const repository = openMemoryRepository();
    const cut = `head -c 1000000 ${archive}`;
    await expect(store(cut, context, inspect, repository)).rejects.toMatchObject({
      code: 'integrity',
      message: expect.stringContaining('it ends') as string,
    });
    await expect(store(`${cut}; echo broken >&2; exit 3`, context, inspect, repository)).rejects.toMatchObject({
      code: 'tool',
      message: 'cannot read with sh: exit code 3: broken',
    });
    await expect(store(`${cut}; kill -9 $$`, context, inspect, repository)).rejects.toMatchObject({
      code: 'tool',
      message: 'cannot read with sh: ended by SIGKILL',
    });
    expect(await repository.list('', 'deep')).toEqual([]);
  },
);

test.each(['yes', `yes | head -c 1000000; sleep 1000`])(
  'damage ends a program that would never end: %s',
  async (endless) => {
    const { context, folder } = await testContext();
    const pids = join(folder, 'pids');
    const storing = store(`echo $$ > ${pids}; ${endless}`, context, AS_PROGRAM);
    await expect(storing).rejects.toMatchObject({
      code: 'integrity',
      hint: expect.stringContaining('damaged') as string,
    });
    await expect.poll(async () => (await waitFor(pids)).some(isAlive)).toBe(false);
  },
);

test('a reader that is killed fails the capture', async () => {
  const { context, folder } = await testContext();
  const archive = makeArchive(folder);
  const repository = openMemoryRepository();
  const pids = join(folder, 'pids');
  const storing = store(`echo $$ > ${pids}; head -c 100000 ${archive}; sleep 1000`, context, AS_PROGRAM, repository);
  const failed = expect(storing).rejects.toMatchObject({
    code: 'tool',
    message: 'cannot read with bkp-reader-tar: ended by SIGKILL',
  });
  await waitFor(pids);
  for (const pid of readers()) process.kill(pid, 'SIGKILL');
  await failed;
  expect(await repository.list('', 'deep')).toEqual([]);
  await expect.poll(async () => (await waitFor(pids)).some(isAlive)).toBe(false);
});

test('a compressor that fails is the reason, not the reader that lost it', async () => {
  const { folder } = await testContext();
  const archive = makeArchive(folder);
  const bin = await pathWith(folder, ['cat']);
  writeFileSync(join(bin, 'zstd'), '#!/bin/sh\n[ "$1" = --version ] && exit 0\necho no room >&2\nexit 4\n', {
    mode: 0o700,
  });
  const { context } = await testContext({ environment: { PATH: `${bin}:${process.env['PATH']}` } });
  await expect(store(`cat ${archive}; cat ${archive}`, context, AS_PROGRAM)).rejects.toMatchObject({
    code: 'tool',
    message: 'cannot compress with zstd: exit code 4: no room',
  });
});
