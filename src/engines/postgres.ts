import { capturePostgres } from './postgres/databases/capture-databases.ts';
import { checkDatabases } from './postgres/databases/check-databases.ts';
import { STORED_FORMATS, wantedFormat } from './postgres/archive/dump-formats.ts';
import { nativeRestore } from './postgres/databases/native-restore.ts';
import {
  assertDatabasesRestorable,
  inspectDatabases,
  probeDatabases,
  restoreDatabases,
} from './postgres/databases/postgres-databases.ts';
import { postgresAsideExists, removePostgresAside } from './postgres/restore/set-aside.ts';
import { neededTools, POSTGRES_TOOLS } from './postgres/server/needed-tools.ts';
import type { Engine } from './engine.ts';

/** PostgreSQL databases by their own tools, with rows counted under the snapshot of the dump. */
export const postgres: Engine<'postgres'> = {
  type: 'postgres',
  capabilities: {
    modes: ['new', 'replace', 'merge'],
    sqlChecks: true,
    paths: true,
    pathsWithin: true,
    noOwner: true,
    safetyBeforeMerge: true,
    local: false,
    formats: STORED_FORMATS,
    tools: POSTGRES_TOOLS,
  },
  neededTools,
  probe: probeDatabases,
  capture: capturePostgres,
  check: checkDatabases,
  inspectDestination: inspectDatabases,
  assertRestorable: assertDatabasesRestorable,
  restore: restoreDatabases,
  nativeRestore,
  adoptedFormat: (target) => wantedFormat(target).format,
  setAsideExists: postgresAsideExists,
  removeSetAside: removePostgresAside,
};
