import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import type { Repository } from '../../src/repositories/repository.ts';
import { keepHere, type StoredSize } from '../../src/streams/keep-here.ts';
import { openMemoryRepository } from '../repositories/memory-repository.ts';
import { testContext } from '../test-context.ts';
import { sampleBytes } from './samples.ts';

const BYTES = sampleBytes(900_000);
const KEY = 'snapshots/shop/one/db.zst';
const sized = (storedBytes: number = BYTES.length, rawBytes: number | null = 1): readonly StoredSize[] => [
  { key: KEY, storedBytes, rawBytes },
];

/** A repository elsewhere that counts how often it is read, and whose connection may be cut. */
function elsewhere(cutAfter = Infinity): { readonly repository: Repository; readonly opened: () => number } {
  let opened = 0;
  const chunks = async function* (): AsyncGenerator<Buffer> {
    for (let at = 0; at < BYTES.length; at += 65_536) {
      if (at >= cutAfter) throw new Error('cut');
      yield BYTES.subarray(at, at + 65_536);
    }
  };
  const open = async (): Promise<Readable> => {
    opened++;
    return Readable.from(chunks(), { objectMode: false });
  };
  return { repository: { ...openMemoryRepository(), open }, opened: () => opened };
}

const readWhole = async (repository: Repository, key = KEY): Promise<Buffer> => buffer(await repository.open(key));

test('what was read whole is on this machine until it is used up', async () => {
  const { context } = await testContext();
  const { repository, opened } = elsewhere();
  const path = await keepHere(repository, sized(), context, async (here) => {
    expect(here.localPath(KEY)).toBeUndefined();
    expect((await readWhole(here)).equals(BYTES)).toBe(true);
    const kept = here.localPath(KEY) ?? '';
    expect(readFileSync(kept).equals(BYTES)).toBe(true);
    return kept;
  });
  expect(opened()).toBe(1);
  expect(existsSync(path)).toBe(false);
});

test.each([
  ['a connection that was cut', 200_000, sized()],
  ['another size than the manifest has', Infinity, sized(BYTES.length - 1)],
  ['too little room for it', Infinity, sized(2 ** 60)],
  ['too little room for what it becomes', Infinity, sized(BYTES.length, 2 ** 60)],
  ['another key', Infinity, []],
])('%s keeps nothing', async (_, cutAfter, artifacts) => {
  const { context } = await testContext();
  const { repository } = elsewhere(cutAfter);
  await keepHere(repository, artifacts, context, async (here) => {
    const read = readWhole(here);
    if (cutAfter === Infinity) expect((await read).equals(BYTES)).toBe(true);
    else await expect(read).rejects.toThrow('cut');
    expect(here.localPath(KEY)).toBeUndefined();
    expect(readdirSync(context.workDir)).toEqual([]);
  });
});

test('a reader that stops early leaves nothing', async () => {
  const { context } = await testContext();
  const { repository } = elsewhere();
  await keepHere(repository, sized(), context, async (here) => {
    for await (const chunk of await here.open(KEY)) if ((chunk as Buffer).length > 0) break;
    expect(here.localPath(KEY)).toBeUndefined();
  });
  expect(readdirSync(context.workDir)).toEqual([]);
});

test('what lies on this machine stays where it is', async () => {
  const { context } = await testContext();
  const local = { ...openMemoryRepository(), localPath: () => '/somewhere/db.zst' };
  await keepHere(local, sized(), context, async (here) => {
    expect(here.localPath(KEY)).toBe('/somewhere/db.zst');
  });
});
