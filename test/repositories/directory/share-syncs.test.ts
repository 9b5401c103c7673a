import { expect, test } from 'vitest';
import { shareSyncs } from '../../../src/repositories/directory/share-syncs.ts';
import { fileSteps, type FileSteps } from '../../../src/repositories/file-steps.ts';

interface Sync {
  readonly path: string;
  readonly end: PromiseWithResolvers<void>;
}

/** Steps whose syncs of folders end when the test says so. */
function bench() {
  const begun: Sync[] = [];
  const steps: FileSteps = shareSyncs({
    ...fileSteps,
    syncFolder: (path) => {
      const end = Promise.withResolvers<void>();
      begun.push({ path, end });
      return end.promise;
    },
  });
  const told: string[] = [];
  const sync = (name: string, path = 'folder'): Promise<void> =>
    steps.syncFolder(path).then(
      () => void told.push(name),
      (error: Error) => void told.push(`${name} ${error.message}`),
    );
  return { begun, told, sync };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('whoever comes while a folder is synced waits for the next sync, all of them for one', async () => {
  const { begun, told, sync } = bench();
  void sync('a');
  void sync('b');
  void sync('c');
  expect(begun).toHaveLength(1);
  begun[0]?.end.resolve();
  await settled();
  expect(told).toEqual(['a']);
  expect(begun).toHaveLength(2);
  // It began before this one came.
  void sync('d');
  begun[1]?.end.resolve();
  await settled();
  expect(told).toEqual(['a', 'b', 'c']);
  begun[2]?.end.resolve();
  await settled();
  expect(told).toEqual(['a', 'b', 'c', 'd']);
  void sync('e');
  expect(begun).toHaveLength(4);
});

test('a failure is told to those who waited for that sync', async () => {
  const { begun, told, sync } = bench();
  void sync('a');
  void sync('b');
  begun[0]?.end.reject(new Error('EIO'));
  await settled();
  expect(told).toEqual(['a EIO']);
  begun[1]?.end.resolve();
  await settled();
  expect(told).toEqual(['a EIO', 'b']);
});

test('folders do not wait for each other', () => {
  const { begun, sync } = bench();
  void sync('a', 'one');
  void sync('b', 'two');
  expect(begun.map(({ path }) => path)).toEqual(['one', 'two']);
});
