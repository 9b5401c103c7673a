import type { BenchCase } from './case.ts';
import { esExport } from './cases/es-export.ts';
import { esImport } from './cases/es-import.ts';
import { filesTree } from './cases/files-20k.ts';
import { frames } from './cases/frames.ts';
import { listS3Latency } from './cases/list-s3-latency.ts';
import { memoryFlat } from './cases/mem-flat.ts';
import { myBackup } from './cases/my-backup.ts';
import { myRestore } from './cases/my-restore.ts';
import { mongo } from './cases/mongo.ts';
import { pgBackup } from './cases/pg-backup.ts';
import { pgBackupVsGzip } from './cases/pg-backup-vs-gzip.ts';
import { pgBackupEncrypted } from './cases/pg-backup-enc.ts';
import { pgManyTables } from './cases/pg-many-tables.ts';
import { pgMemoryFlat } from './cases/pg-mem-flat.ts';
import { pgRestore } from './cases/pg-restore.ts';
import { plan100k } from './cases/plan-100k.ts';
import { plan200 } from './cases/plan-200.ts';
import { redisDump } from './cases/redis.ts';
import { s3Get } from './cases/s3-get.ts';
import { s3Many } from './cases/s3-many.ts';
import { s3Mirror } from './cases/s3-mirror.ts';
import { s3Memory } from './cases/s3-mem.ts';
import { s3Put } from './cases/s3-put.ts';
import { s3Tree } from './cases/s3-tree.ts';
import { sqliteLive } from './cases/sqlite-live.ts';
import { startup } from './cases/startup.ts';
import { verify } from './cases/verify.ts';

/** Every case, in the order of the table. */
export const CASES: readonly BenchCase[] = [
  startup,
  plan200,
  plan100k,
  listS3Latency,
  filesTree,
  sqliteLive,
  pgBackup,
  pgBackupVsGzip,
  pgBackupEncrypted,
  pgRestore,
  pgManyTables,
  myBackup,
  myRestore,
  redisDump,
  mongo,
  esExport,
  esImport,
  s3Put,
  s3Get,
  s3Memory,
  s3Tree,
  s3Mirror,
  s3Many,
  verify,
  memoryFlat,
  pgMemoryFlat,
  frames,
];
