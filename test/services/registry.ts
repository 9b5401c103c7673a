import { minio } from './minio.ts';
import { postgres15, postgres17, postgres18 } from './postgres.ts';
import { elasticsearch8, elasticsearch9 } from './search/elasticsearch.ts';
import { openSearch2, openSearch3 } from './search/opensearch.ts';
import type { Service } from './service.ts';
import { versitygw } from './versitygw.ts';

/** Every server the tests use. Engines and repositories that need none (SQLite, files, directories) have no line here. */
export const SERVICES: readonly Service[] = [
  postgres15,
  postgres17,
  postgres18,
  versitygw,
  minio,
  openSearch2,
  openSearch3,
  elasticsearch8,
  elasticsearch9,
];
