import type { Engine } from './engine.ts';
import { captureMongodb } from './mongodb/capture/capture.ts';
import { probeMongodb } from './mongodb/capture/probe.ts';
import { checkMongodb } from './mongodb/check.ts';
import { ARCHIVE_FORMAT } from './mongodb/archive/read-archive.ts';
import { nativeRestore } from './mongodb/native-restore.ts';
import { inspectMongodbDestination } from './mongodb/restore/inspect-destination.ts';
import { assertMongodbRestorable, restoreMongodb } from './mongodb/restore/restore.ts';
import { mongodbAsideExists, removeMongodbAside } from './mongodb/restore/set-aside.ts';
import { MONGO_TOOLS, neededTools } from './mongodb/server/tools.ts';

/** MongoDB databases by their own tools, with documents counted in the archive and on the server. */
export const mongodb: Engine<'mongodb'> = {
  type: 'mongodb',
  capabilities: {
    modes: ['new', 'replace', 'merge'],
    sqlChecks: false,
    paths: false,
    pathsWithin: false,
    noOwner: false,
    safetyBeforeMerge: true,
    local: false,
    formats: [ARCHIVE_FORMAT],
    tools: MONGO_TOOLS,
  },
  neededTools,
  probe: probeMongodb,
  capture: captureMongodb,
  check: checkMongodb,
  inspectDestination: inspectMongodbDestination,
  assertRestorable: assertMongodbRestorable,
  restore: restoreMongodb,
  nativeRestore,
  setAsideExists: mongodbAsideExists,
  removeSetAside: removeMongodbAside,
};
