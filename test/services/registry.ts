import { ferretdb } from './ferretdb.ts';
import { mariadb } from './mariadb.ts';
import { minio } from './minio.ts';
import { mysql8, mysql9 } from './mysql.ts';
import { postgres15, postgres17, postgres18 } from './postgres.ts';
import { redis70, valkey81 } from './redis.ts';
import { elasticsearches } from './search/elasticsearch.ts';
import { openSearch2, openSearch3 } from './search/opensearch.ts';
import { withUsers } from './search/with-users.ts';
import type { Service } from './service.ts';
import { versitygw } from './versitygw.ts';

/** Every server the tests use. Engines and repositories that need none (SQLite, files, directories) have no line here. */
export const SERVICES: readonly Service[] = [
  ...elasticsearches,
  ferretdb,
  mariadb,
  minio,
  mysql8,
  mysql9,
  openSearch2,
  openSearch3,
  postgres15,
  postgres17,
  postgres18,
  redis70,
  valkey81,
  versitygw,
  ...withUsers,
];
