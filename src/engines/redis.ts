import type { Engine } from './engine.ts';
import { captureRedis } from './redis/capture/capture.ts';
import { probeRedis } from './redis/capture/probe.ts';
import { USERS_FORMAT } from './redis/capture/users.ts';
import { isThere } from './redis/file/exchange.ts';
import { removeOldFiles } from './redis/file/file-places.ts';
import { DUMP_FORMAT } from './redis/rdb/dump-format.ts';
import { checkDump } from './redis/restore/check-dump.ts';
import { inspectRedisDestination } from './redis/restore/inspect-destination.ts';
import { nativeRestore } from './redis/restore/native-restore.ts';
import { restoreRedis } from './redis/restore/restore.ts';

/** Redis and Valkey: a dump over the replication protocol, restored key by key or as a replica of ours. */
export const redis: Engine<'redis'> = {
  type: 'redis',
  capabilities: {
    modes: ['new', 'replace', 'merge'],
    sqlChecks: false,
    paths: false,
    pathsWithin: false,
    noOwner: false,
    safetyBeforeMerge: true,
    local: false,
    tools: [],
    formats: [DUMP_FORMAT, USERS_FORMAT],
  },
  probe: probeRedis,
  capture: captureRedis,
  check: checkDump,
  inspectDestination: inspectRedisDestination,
  restore: restoreRedis,
  nativeRestore,
  setAsideExists: ({ reference }) => isThere(reference),
  removeSetAside: ({ reference }) => removeOldFiles(reference),
};
