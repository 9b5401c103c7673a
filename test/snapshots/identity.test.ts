import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDirectoryRepository } from '../../src/repositories/directory.ts';
import { initializeRepository, repositoryIdentity } from '../../src/snapshots/identity.ts';
import { newMemoryStore, openMemoryRepository } from '../repositories/memory-repository.ts';
import { testFolder } from '../test-context.ts';
import { testRunner } from './fixtures.ts';

const runner = testRunner();

test('a place becomes a repository once', async () => {
  const store = newMemoryStore();
  expect(await repositoryIdentity(openMemoryRepository(store))).toBeUndefined();
  const made = await initializeRepository(openMemoryRepository(store), runner);
  expect(await repositoryIdentity(openMemoryRepository(store))).toEqual(made);
  expect(await initializeRepository(openMemoryRepository(store), runner)).toEqual(made);
});

test('two that make it at once get one repository', async () => {
  for (let round = 0; round < 20; round++) {
    const store = newMemoryStore();
    const [left, right] = await Promise.all(
      [1, 2].map(() => initializeRepository(openMemoryRepository(store), runner)),
    );
    expect(left).toEqual(right);
  }
});

test('a folder is made for it, but not where other things are', async () => {
  const folder = await testFolder();
  const fresh = openDirectoryRepository({ path: join(folder, 'a', 'b') }, runner);
  await initializeRepository(fresh, runner);
  const home = join(folder, 'home');
  mkdirSync(home);
  writeFileSync(join(home, 'thesis.odt'), 'x');
  await expect(initializeRepository(openDirectoryRepository({ path: home }, runner), runner)).rejects.toMatchObject({
    code: 'guard',
    message: expect.stringContaining('it holds thesis.odt'),
  });
});

test('the root of a new disk may bring its lost+found', async () => {
  const folder = await testFolder();
  mkdirSync(join(folder, 'lost+found'));
  expect((await initializeRepository(openDirectoryRepository({ path: folder }, runner), runner)).formatVersion).toBe(1);
});

test('a repository that lost its identity is not made anew', async () => {
  const repository = openMemoryRepository();
  await repository.put('manifests/kong/x.json', Buffer.from('{}'));
  await expect(initializeRepository(repository, runner)).rejects.toMatchObject({
    code: 'guard',
    hint: expect.stringContaining('copy'),
  });
});

test.each([
  ['{"formatVersion":2,"id":"12345678"}', /newer/, /upgrade/],
  ['{"formatVersion":1,"id":"../../x","createdAt":"2026-11-19T02:00:00Z"}', /no repository id/, /bring/],
  ['', /JSON/, /bring/],
])('an identity that cannot be read is an error: %s', async (text, message, hint) => {
  const repository = openMemoryRepository();
  await repository.put('bkp-repository.json', Buffer.from(text));
  for (const attempt of [() => repositoryIdentity(repository), () => initializeRepository(repository, runner)]) {
    await expect(attempt()).rejects.toMatchObject({
      code: 'repository',
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
    });
  }
});
