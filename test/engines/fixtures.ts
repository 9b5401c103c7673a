import type { Target } from '../../src/generated/policy.ts';
import { commandFixture } from './command-fixture.ts';
import { elasticsearchFixture } from './elasticsearch-fixture.ts';
import { filesFixture } from './files-fixture.ts';
import type { EngineFixture } from './fixture.ts';
import { mysqlFixture } from './mysql-fixture.ts';
import { mongodbFixture } from './mongodb-fixture.ts';
import { postgresFixture } from './postgres-fixture.ts';
import { s3Fixture } from './s3-fixture.ts';
import { redisFixture } from './redis-fixture.ts';
import { sqliteFixture } from './sqlite-fixture.ts';

/** One fixture for every engine of the registry. */
export const FIXTURES: { readonly [K in Target['type']]: EngineFixture<K> } = {
  command: commandFixture,
  elasticsearch: elasticsearchFixture,
  files: filesFixture,
  mysql: mysqlFixture,
  mongodb: mongodbFixture,
  postgres: postgresFixture,
  s3: s3Fixture,
  redis: redisFixture,
  sqlite: sqliteFixture,
};
