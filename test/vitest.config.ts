import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { PlainReporter } from './plain-reporter.ts';

const config: ViteUserConfig = defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/services/global-setup.ts',
    pool: 'forks',
    maxWorkers: 2,
    allowOnly: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['default', new PlainReporter()],
  },
});

export default config;
