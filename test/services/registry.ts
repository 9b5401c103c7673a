import { ferretdb } from './ferretdb.ts';
import { minio } from './minio.ts';
import { postgres15, postgres17, postgres18 } from './postgres.ts';
import type { Service } from './service.ts';
import { versitygw } from './versitygw.ts';

/** Every server the tests use. Engines and repositories that need none (SQLite, files, directories) have no line here. */
export const SERVICES: readonly Service[] = [postgres15, postgres17, postgres18, versitygw, minio, ferretdb];
