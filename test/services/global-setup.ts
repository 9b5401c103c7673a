import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { TestProject } from 'vitest/node';
import { publishConnections } from './connection.ts';
import { SERVICES } from './registry.ts';
import { type RunningService, type Service, serviceFolder } from './service.ts';
import { isFullSet, kindsFor } from './suites.ts';

async function startService(service: Service, workDir: string): Promise<RunningService> {
  const folder = serviceFolder(service);
  await service.install(folder);
  return service.start(folder, workDir);
}

/**
 * Installs and starts the servers of the chosen set that the test files of this run need, before the first test that may
 * need one; stops them after the last.
 */
export async function setup({ vitest, config }: TestProject): Promise<() => Promise<void>> {
  const kinds = kindsFor(vitest.state.getPaths().map((path) => relative(config.root, path)));
  const chosen = SERVICES.filter((service) => service.set === 'default' || isFullSet());
  const wanted = chosen.filter((service) => kinds.has(service.kind));
  const workDir = mkdtempSync(join(tmpdir(), 'bkp-services-'));
  chmodSync(workDir, 0o755);
  const remove = (): void => rmSync(workDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  // Servers stop on the same event, which an interrupted run still has, and their handler came first.
  process.once('exit', remove);
  const results = await Promise.allSettled(wanted.map((service) => startService(service, workDir)));
  const running = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const stop = async (): Promise<void> => {
    await Promise.all(running.map((service) => service.stop()));
    remove();
    process.off('exit', remove);
  };
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) {
    await stop();
    throw failed.reason;
  }
  publishConnections(
    Object.fromEntries(
      wanted.map(({ name, version, set }, index) => [`${name}-${version}`, { ...running[index]?.connection, set }]),
    ),
  );
  return stop;
}
