import type { Target } from '../../src/generated/policy.ts';
import { filesFixture } from './files-fixture.ts';
import type { EngineFixture } from './fixture.ts';
import { mongodbFixture } from './mongodb-fixture.ts';
import { postgresFixture } from './postgres-fixture.ts';
import { sqliteFixture } from './sqlite-fixture.ts';

/** One fixture for every engine of the registry. */
export const FIXTURES: { readonly [K in Target['type']]: EngineFixture<K> } = {
  files: filesFixture,
  mongodb: mongodbFixture,
  postgres: postgresFixture,
  sqlite: sqliteFixture,
};
