import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { NO_FILES } from '../../src/reconcile/earlier-files.ts';
import type { ArtifactPlace } from '../../src/reconcile/copy-artifact.ts';
import { copyFolder } from '../../src/reconcile/copy-folder.ts';
import { storeFiles } from '../../src/reconcile/store-folder.ts';
import type { Repository } from '../../src/repositories/repository.ts';
import { storeArtifact } from '../../src/streams/store-artifact.ts';
import { openMemoryRepository } from '../repositories/memory-repository.ts';
import { testContext } from '../test-context.ts';

const [FIRST, SECOND] = ['snapshots/app/20261118T020000Z-k3x9q2aa/', 'snapshots/app/20261119T020000Z-k3x9q2aa/'];

async function bench() {
  const { context } = await testContext();
  const [near, bare] = [openMemoryRepository(), openMemoryRepository()];
  const opened: string[] = [];
  const written: string[] = [];
  const far: Repository = {
    ...bare,
    open: (key) => (opened.push(key), bare.open(key)),
    put: (key, content) => (written.push(key), bare.put(key, content)),
  };
  const store = async (folder: string, files: Readonly<Record<string, string>>): Promise<ArtifactPlace> => {
    const key = 't.files.ndjson';
    const stored = await storeFiles(
      {
        kind: 'folder',
        open: (into) =>
          Readable.from(
            (async function* () {
              for (const [name, text] of Object.entries(files))
                yield `${JSON.stringify(await into.put(name, Buffer.from(text), text.length))}\n`;
            })(),
            { objectMode: false },
          ),
      },
      { repository: near, folder: `${folder}t/`, earlier: NO_FILES },
      (source) =>
        storeArtifact(
          {
            artifact: { source },
            compression: { method: 'none', level: 0 },
            threads: 1,
            repository: near,
            key: folder + key,
          },
          context,
        ),
      () => undefined,
    );
    const { rawBytes, storedBytes, storedSha256 } = stored.result;
    const listed = { key: 't/', files: stored.files, bytes: stored.bytes };
    const plain = { name: '', format: 'list', compression: null, encryption: null };
    return {
      repository: near,
      folder,
      artifact: { key, ...plain, rawBytes, storedBytes, storedSha256, folder: listed },
    };
  };
  return { context, near, far, opened, written, store };
}

test('the receiver makes of its own what it has, and neither reads nor is sent it', async () => {
  const { context, far, opened, written, store } = await bench();
  const first = await store(FIRST, { a: 'a', b: 'b', c: 'c' });
  const second = await store(SECOND, { a: 'a', b: 'B', c: 'c' });
  await copyFolder({ from: first, to: { ...first, repository: far }, known: undefined, isThereInPart: false }, context);
  // It was cut there in the meantime.
  await far.put(`${FIRST}t/c`, Buffer.from(''));
  opened.length = 0;
  written.length = 0;
  const known = { ...first, repository: far };
  await copyFolder({ from: second, to: { ...second, repository: far }, known, isThereInPart: false }, context);
  const files = (keys: readonly string[]): readonly string[] => keys.filter((key) => key.includes('/t/')).toSorted();
  expect(files(written)).toEqual([`${SECOND}t/b`, `${SECOND}t/c`]);
  expect(files(opened)).toEqual([`${SECOND}t/b`, `${SECOND}t/c`]);
  for (const [name, text] of Object.entries({ a: 'a', b: 'B', c: 'c' }))
    expect((await far.read(`${SECOND}t/${name}`)).toString()).toBe(text);
});

test('an object that is damaged in the source is not copied', async () => {
  const { context, near, far, store } = await bench();
  const place = await store(FIRST, { a: 'a', b: 'b' });
  await near.put(`${FIRST}t/b`, Buffer.from('x'));
  const copying = copyFolder(
    { from: place, to: { ...place, repository: far }, known: undefined, isThereInPart: false },
    context,
  );
  await expect(copying).rejects.toMatchObject({ code: 'integrity', artifact: 't.files.ndjson' });
});
