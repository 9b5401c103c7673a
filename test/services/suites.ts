import { matchesGlob } from 'node:path';

/** What servers speak, as far as tests ask for it: those of a kind are different versions and makes of the same. */
export type ServerKind = 'mongodb' | 'mysql' | 'postgres' | 'redis' | 's3' | 'search' | 'search-users';

/**
 * The test files that talk to servers, and of which kinds. Servers are started when a file that needs them runs, and only
 * then, so that `vitest run test/policy` pays for none; a file that needs some takes a name that is matched here.
 */
const SUITES: readonly { readonly files: string; readonly kinds: readonly ServerKind[] }[] = [
  { files: 'test/**/*postgres*.test.ts', kinds: ['postgres'] },
  { files: 'test/**/postgres/**/*.test.ts', kinds: ['postgres'] },
  { files: 'test/**/*mysql*.test.ts', kinds: ['mysql'] },
  { files: 'test/**/mysql/**/*.test.ts', kinds: ['mysql'] },
  { files: 'test/**/*mongodb*.test.ts', kinds: ['mongodb'] },
  { files: 'test/**/mongodb/**/*.test.ts', kinds: ['mongodb'] },
  { files: 'test/**/*redis*.test.ts', kinds: ['redis'] },
  { files: 'test/**/redis/**/*.test.ts', kinds: ['redis'] },
  { files: 'test/**/*s3*.test.ts', kinds: ['s3'] },
  { files: 'test/**/s3/**/*.test.ts', kinds: ['s3'] },
  { files: 'test/**/*elasticsearch*.test.ts', kinds: ['search'] },
  { files: 'test/**/elasticsearch/**/*.test.ts', kinds: ['search'] },
  { files: 'test/**/search-users/**/*.test.ts', kinds: ['search-users'] },
  { files: 'test/everything/**/*.test.ts', kinds: ['mongodb', 'mysql', 'postgres', 'redis', 's3', 'search'] },
  { files: 'test/examples.test.ts', kinds: ['postgres', 'mysql'] },
];

export const SERVER_SUITES: readonly string[] = SUITES.map(({ files }) => files);

/** The kinds of servers that these test files need, by their paths from the root of the project. */
export function kindsFor(paths: readonly string[]): ReadonlySet<ServerKind> {
  const needed = SUITES.filter(({ files }) => paths.some((path) => matchesGlob(path, files)));
  return new Set(needed.flatMap(({ kinds }) => kinds));
}

/** Those of them that only the full set of servers runs: formats that few people choose, servers that are long to build. */
export const FULL_SET_SUITES: readonly string[] = [
  'test/engines/conformance-elasticsearch-{8,9,opensearch-3}.test.ts',
  'test/engines/conformance-mysql-mydumper.test.ts',
  'test/engines/conformance-postgres-{directory,plain,tar}.test.ts',
  'test/engines/conformance-s3-mirror.test.ts',
  'test/engines/elasticsearch/{s3-repository,states}.test.ts',
  'test/engines/search-users/*.test.ts',
  'test/repositories/s3/minio.test.ts',
];

/**
 * The suites that the full set runs, on what the default set has not: they try every version of their servers, or several
 * together. What they leave out knows one server only, and was run with the default set.
 */
export const VERSIONED_SUITES: readonly string[] = [
  ...FULL_SET_SUITES,
  'test/engines/conformance-{mysql,postgres,redis}.test.ts',
  'test/engines/elasticsearch/{lossless,restore,second-cluster,snapshot-refusals,snapshot-versions,streams,versions}.test.ts',
  'test/engines/mysql/{mydumper,rich}.test.ts',
  'test/engines/postgres/{clients,custom-archive,database-names,encodings,restore-versions,role-rights}.test.ts',
  'test/engines/postgres/{script-filter,sql-script,standby,tar-archive,versions}.test.ts',
  'test/engines/s3/{mirror,mirror-again,objects}.test.ts',
  'test/everything/**/*.test.ts',
  'test/repositories/s3/{conformance,versions}.test.ts',
  'test/cli/s3-object-lock.test.ts',
  'test/services/postgres.test.ts',
  'test/s3/get-object.test.ts',
  'test/snapshots/s3-versions.test.ts',
];

/** The run was asked for every version of every server. */
export const isFullSet = (): boolean => process.env['BKP_TEST_SET'] === 'all';
