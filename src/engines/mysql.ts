import type { Engine } from './engine.ts';
import { captureMysql } from './mysql/capture/capture.ts';
import { checkDatabases } from './mysql/databases/check-databases.ts';
import {
  assertDatabasesRestorable,
  inspectDatabases,
  probeDatabases,
  restoreDatabases,
} from './mysql/databases/mysql-databases.ts';
import { nativeRestore } from './mysql/databases/native-restore.ts';
import { STORED_FORMATS } from './mysql/dump/format.ts';
import { mysqlAsideExists, removeMysqlAside } from './mysql/restore/set-aside.ts';
import { MYSQL_TOOLS, neededTools } from './mysql/server/needed-tools.ts';

/** MySQL and MariaDB databases by their own tools, with rows counted in the dump. */
export const mysql: Engine<'mysql'> = {
  type: 'mysql',
  capabilities: {
    modes: ['new', 'replace', 'merge'],
    sqlChecks: true,
    paths: false,
    pathsWithin: false,
    noOwner: true,
    safetyBeforeMerge: true,
    local: false,
    formats: STORED_FORMATS,
    tools: MYSQL_TOOLS,
  },
  neededTools,
  probe: probeDatabases,
  capture: captureMysql,
  check: checkDatabases,
  inspectDestination: inspectDatabases,
  assertRestorable: assertDatabasesRestorable,
  restore: restoreDatabases,
  nativeRestore,
  setAsideExists: mysqlAsideExists,
  removeSetAside: removeMysqlAside,
};
