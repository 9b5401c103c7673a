import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { SERVICES } from './registry.ts';
import { serviceFolder, type RunningService } from './service.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Connections of the running servers by `name-version`. */
    readonly services: Readonly<Record<string, RunningService['connection']>>;
  }
}

/** Installs and starts the servers of the chosen set before the first test, stops them after the last. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const wanted = SERVICES.filter((service) => service.set === 'default' || process.env['BKP_TEST_SET'] === 'all');
  const workDir = await mkdtemp(join(tmpdir(), 'bkp-services-'));
  const running: RunningService[] = [];
  const stop = async (): Promise<void> => {
    for (const service of running.splice(0)) await service.stop();
    await rm(workDir, { recursive: true, force: true });
  };
  try {
    const connections: Record<string, RunningService['connection']> = {};
    for (const service of wanted) {
      const folder = serviceFolder(service);
      await service.install(folder);
      const started = await service.start(folder, workDir);
      running.push(started);
      connections[`${service.name}-${service.version}`] = started.connection;
    }
    project.provide('services', connections);
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
}
