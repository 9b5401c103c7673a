/**
 * The test files that talk to servers. Servers are started when one of these runs, and only then, so that
 * `vitest run test/policy` pays for none; a file that needs one takes a name that is matched here.
 */
export const SERVER_SUITES: readonly string[] = [
  'test/services/**/*.test.ts',
  'test/**/*postgres*.test.ts',
  'test/**/postgres/**/*.test.ts',
  'test/**/*s3*.test.ts',
  'test/**/s3/**/*.test.ts',
  'test/examples.test.ts',
];

/** Those of them that only the full set of servers runs: formats that few people choose, servers that are long to build. */
export const FULL_SET_SUITES: readonly string[] = [
  'test/engines/conformance-postgres-{directory,plain,tar}.test.ts',
  'test/repositories/s3/minio.test.ts',
];

/** The run was asked for every version of every server. */
export const isFullSet = (): boolean => process.env['BKP_TEST_SET'] === 'all';
