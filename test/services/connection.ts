import type { RunningService } from './service.ts';
import { isFullSet } from './suites.ts';

export type Connection = RunningService['connection'];

/** Carries the connections to test workers and to every process that they start. */
const VARIABLE = 'BKP_TEST_SERVICES_AT';

/** Lets processes that are started from now on reach these servers. */
export function publishConnections(connections: Readonly<Record<string, Connection>>): void {
  process.env[VARIABLE] = JSON.stringify(connections);
}

const connections = (): Readonly<Record<string, Connection>> => JSON.parse(process.env[VARIABLE] ?? '{}');

/** Names of the running servers of a kind, oldest version first: `postgres` gives `postgres-15`, and more in the full set. */
export function startedServices(kind: string): readonly string[] {
  return Object.keys(connections()).filter((name) => name.startsWith(`${kind}-`));
}

/** Those of a kind that suites of every version try: the full set leaves out what the default set has tried. */
export function servicesToTry(kind: string): readonly string[] {
  const started = startedServices(kind);
  return isFullSet() ? started.filter((name) => connectionOf(name)['set'] === 'all') : started;
}

/** How to reach a server of the run, by its name and version (`postgres-15`), in any process below vitest. */
export function connectionOf(service: string): Connection {
  const found = connections()[service];
  if (found !== undefined) return found;
  throw new Error(
    `${service} was not started: test/services/suites.ts must say that this file needs it, and the full set needs npm run test:all.`,
  );
}
