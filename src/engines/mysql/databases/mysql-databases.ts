import type { Context } from '../../../context.ts';
import { inspectEach, type LooksAtDatabases, probeEach } from '../../databases/look-at-each.ts';
import { assertAnyRestorable, restoreEach, type RestoresDatabases } from '../../databases/restore-each.ts';
import type { Arrival, DestinationState, Probe, RestoreOutcome, RestoreRequest } from '../../engine.ts';
import { probeMysql } from '../capture/probe.ts';
import { inspectMysqlDestination } from '../restore/inspect-destination.ts';
import { assertMysqlRestorable, restoreMysql } from '../restore/restore.ts';
import type { MysqlConfig, MysqlTarget } from '../server/connection.ts';
import { restoreUsers } from '../users/restore-users.ts';
import { USERS, USERS_FORMAT } from '../users/users-script.ts';
import { asDatabase, listDatabases } from './list-databases.ts';

/** Looks at every database of a target. */
export const probeDatabases = (config: MysqlConfig, context: Context): Promise<Probe> =>
  probeEach(config, LOOKS, context);

/** Looks at every place that a restore of a target would write. */
export const inspectDatabases = (config: MysqlConfig, context: Context, coming?: Arrival): Promise<DestinationState> =>
  inspectEach(config, LOOKS, context, coming);

/** Brings back each database by itself. */
export const restoreDatabases = (request: RestoreRequest<MysqlConfig>, context: Context): Promise<RestoreOutcome> =>
  restoreEach(request, RESTORES, context);

/** Throws where none of the databases could come back. Changes nothing. */
export const assertDatabasesRestorable = (request: RestoreRequest<MysqlConfig>, context: Context): Promise<void> =>
  assertAnyRestorable(request, RESTORES, context);

const LOOKS: LooksAtDatabases<MysqlConfig, MysqlTarget> = {
  asDatabase,
  globals: USERS,
  maintenanceDatabase: '',
  listDatabases,
  probeOne: probeMysql,
  inspectOne: inspectMysqlDestination,
};

const RESTORES: RestoresDatabases<MysqlConfig, MysqlTarget> = {
  asDatabase,
  globalsFormat: USERS_FORMAT,
  pathForm: 'DATABASE',
  restoreGlobals: restoreUsers,
  restoreOne: restoreMysql,
  assertOne: assertMysqlRestorable,
};
