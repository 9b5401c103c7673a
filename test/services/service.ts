import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ServerKind } from './suites.ts';

/** A running server: how tests reach it, and how it ends. */
export interface RunningService {
  /** What tests need to connect, as plain strings. */
  readonly connection: Readonly<Record<string, string>>;
  /** Stops it by its pid and waits until it is gone. */
  readonly stop: () => Promise<void>;
}

/** One real server in one version. A file of its own in this folder, and a line in `registry.ts`. */
export interface Service {
  readonly name: string;
  readonly version: string;
  readonly kind: ServerKind;
  /** `default` for `npm test`, `all` for what only `npm run test:all` starts. */
  readonly set: 'default' | 'all';
  /** Brings what is needed into `folder`, which is kept for the next runs. Throws one sentence that names what is missing. */
  readonly install: (folder: string) => Promise<void>;
  /** Starts it as an unprivileged user on a free port of 127.0.0.1, with its data below `workDir`. */
  readonly start: (folder: string, workDir: string) => Promise<RunningService>;
}

/** Of root nobody else may enter the own folder, and servers are somebody else. */
const cacheFolder = (): string =>
  process.getuid?.() === 0 ? '/var/cache' : (process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'));

/** Where installed servers are kept, outside the repository: `BKP_TEST_SERVICES`, else below the cache folder. */
export function serviceFolder({ name, version }: Pick<Service, 'name' | 'version'>): string {
  const root = process.env['BKP_TEST_SERVICES'] ?? join(cacheFolder(), 'bkp-test-services');
  const folder = join(root, `${name}-${version}`);
  mkdirSync(folder, { recursive: true });
  return folder;
}
