import { capturePostgres } from './postgres/capture-databases.ts';
import { checkDatabases } from './postgres/check-databases.ts';
import { STORED_FORMATS, wantedFormat } from './postgres/dump-formats.ts';
import { nativeRestore } from './postgres/native-restore.ts';
import { inspectDatabases, probeDatabases } from './postgres/probe-databases.ts';
import { restoreDatabases } from './postgres/restore-databases.ts';
import { postgresAsideExists, removePostgresAside } from './postgres/set-aside.ts';
import { TOOL_FOLDERS } from './postgres/tools.ts';
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
    tools: [
      {
        tool: 'pg_dump',
        versionArgv: ['pg_dump', '--version'],
        debianPackage: 'postgresql-client',
        homebrewPackage: 'libpq',
        folders: TOOL_FOLDERS,
      },
      {
        tool: 'pg_restore',
        versionArgv: ['pg_restore', '--version'],
        debianPackage: 'postgresql-client',
        homebrewPackage: 'libpq',
        folders: TOOL_FOLDERS,
      },
    ],
  },
  probe: probeDatabases,
  capture: capturePostgres,
  check: checkDatabases,
  inspectDestination: inspectDatabases,
  restore: restoreDatabases,
  nativeRestore,
  adoptedFormat: (target) => wantedFormat(target).format,
  setAsideExists: postgresAsideExists,
  removeSetAside: removePostgresAside,
};
