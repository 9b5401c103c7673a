/**
 * The test files that talk to servers. Servers are started when one of these runs, and only then, so that
 * `vitest run test/policy` pays for none; a file that needs one takes a name that is matched here.
 */
export const SERVER_SUITES: readonly string[] = [
  'test/services/**/*.test.ts',
  'test/**/*postgres*.test.ts',
  'test/**/postgres/**/*.test.ts',
  'test/examples.test.ts',
];
