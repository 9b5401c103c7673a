import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { RepositoryConfig } from '../../src/generated/policy.ts';
import { openRepository, REPOSITORIES } from '../../src/repositories/registry.ts';
import { systemClock } from '../../src/system/clock.ts';
import { describeHost } from '../../src/system/host.ts';
import { type RepositoryFixture, testRepository } from './conformance.ts';
import { newMemoryStore, openMemoryRepository } from './memory-repository.ts';

const edge = { clock: systemClock, host: describeHost() };

/** Kinds that need a server have a file of their own. */
type Served = 's3';
type Local = Exclude<RepositoryConfig['type'], Served>;

/** Configurations of empty, prepared places: one per line of the registry. */
const places: { readonly [K in Local]: () => Promise<Extract<RepositoryConfig, { type: K }>> } = {
  directory: async () => {
    const path = await mkdtemp(join(tmpdir(), 'bkp-repository-'));
    onTestFinished(() => rm(path, { recursive: true, force: true }));
    return { type: 'directory', path };
  },
};

testRepository('memory', async () => {
  const store = newMemoryStore();
  return { open: () => openMemoryRepository(store) };
});

const isLocal = (type: string): type is Local => type !== ('s3' satisfies Served);

for (const type of Object.keys(REPOSITORIES).filter(isLocal)) {
  testRepository(type, async (): Promise<RepositoryFixture> => {
    const config = await places[type]();
    return { open: () => openRepository(config, edge) };
  });
}

testRepository('directory with a single writer', async () => {
  const config = await places.directory();
  return { open: () => openRepository({ ...config, singleWriter: true }, edge) };
});

testRepository('directory with hard links', async () => {
  const config = await places.directory();
  return { open: () => openRepository({ ...config, dedupe: 'hardlink' }, edge) };
});
