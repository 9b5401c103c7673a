import type { Context } from '../../../context.ts';
import { inspectEach, type LooksAtDatabases, probeEach } from '../../databases/look-at-each.ts';
import { assertAnyRestorable, restoreEach, type RestoresDatabases } from '../../databases/restore-each.ts';
import type { Arrival, DestinationState, Probe, RestoreOutcome, RestoreRequest } from '../../engine.ts';
import { probePostgres } from '../capture/probe.ts';
import { inspectPostgresDestination } from '../restore/inspect-destination.ts';
import { assertPostgresRestorable, restorePostgres } from '../restore/restore.ts';
import type { PostgresConfig, PostgresTarget } from '../server/connection.ts';
import { openToolFinder } from '../server/tools.ts';
import { GLOBALS, GLOBALS_FORMAT } from './globals.ts';
import { asDatabase, listDatabases } from './list-databases.ts';
import { restoreGlobals } from './restore-globals.ts';

/** Looks at every database of a target. */
export const probeDatabases = (config: PostgresConfig, context: Context): Promise<Probe> =>
  probeEach(config, looks(config, context), context);

/** Looks at every place that a restore of a target would write. */
export const inspectDatabases = (
  config: PostgresConfig,
  context: Context,
  coming?: Arrival,
): Promise<DestinationState> => inspectEach(config, looks(config, context), context, coming);

/** Brings back what belongs to the server, then each database by itself. */
export const restoreDatabases = (request: RestoreRequest<PostgresConfig>, context: Context): Promise<RestoreOutcome> =>
  restoreEach(request, restores(request, context), context);

/** Throws where none of the databases could come back. Changes nothing. */
export const assertDatabasesRestorable = (request: RestoreRequest<PostgresConfig>, context: Context): Promise<void> =>
  assertAnyRestorable(request, restores(request, context), context);

function looks(config: PostgresConfig, context: Context): LooksAtDatabases<PostgresConfig, PostgresTarget> {
  const tools = openToolFinder(config, context);
  return {
    asDatabase,
    globals: GLOBALS,
    maintenanceDatabase: 'postgres',
    listDatabases,
    probeOne: (target) => probePostgres(target, tools, context),
    inspectOne: inspectPostgresDestination,
  };
}

function restores(
  { destination }: RestoreRequest<PostgresConfig>,
  context: Context,
): RestoresDatabases<PostgresConfig, PostgresTarget> {
  const tools = openToolFinder(destination, context);
  return {
    asDatabase,
    globalsFormat: GLOBALS_FORMAT,
    pathForm: 'DATABASE/SCHEMA.TABLE',
    restoreGlobals,
    restoreOne: (one) => restorePostgres(one, tools, context),
    assertOne: (one, _context, rolesCome) => assertPostgresRestorable(one, tools, context, rolesCome),
  };
}
