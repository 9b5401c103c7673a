import { defineConfig, type TestProjectInlineConfiguration, type ViteUserConfig } from 'vitest/config';
import { PlainReporter } from './plain-reporter.ts';
import { FULL_SET_SUITES, isFullSet, SERVER_SUITES, VERSIONED_SUITES } from './services/suites.ts';

const project = (name: string, test: NonNullable<ViteUserConfig['test']>): TestProjectInlineConfiguration => ({
  extends: true,
  test: { name, ...test },
});

const config: ViteUserConfig = defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    pool: 'forks',
    maxWorkers: 2,
    allowOnly: false,
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // A second, which is the default, is over quickly on a busy machine.
    expect: { poll: { timeout: 30_000 } },
    reporters: ['default', new PlainReporter()],
    // A project's global setup runs only when one of its files does.
    projects: [
      project('alone', { include: ['test/**/*.test.ts'], exclude: [...SERVER_SUITES] }),
      project('servers', {
        include: isFullSet() ? [...VERSIONED_SUITES] : [...SERVER_SUITES],
        exclude: isFullSet() ? [] : [...FULL_SET_SUITES],
        globalSetup: 'test/services/global-setup.ts',
      }),
    ],
  },
});

export default config;
