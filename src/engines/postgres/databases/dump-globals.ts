import type { Context } from '../../../context.ts';
import type { Capture } from '../../engine.ts';
import type { ReadyDatabase } from '../capture/capture.ts';
import { GLOBALS, GLOBALS_FORMAT, openGlobalsInspector } from './globals.ts';
import { judgeDump } from '../capture/judge-dump.ts';
import { databaseArgument } from '../server/database-argument.ts';
import { openLibpq } from '../server/libpq.ts';
import type { ToolFinder } from '../server/tools.ts';

/** Gets what belongs to the server ready to be written; passwords only where the user may read them. */
export async function captureGlobals(
  [database]: readonly ReadyDatabase[],
  tools: ToolFinder,
  context: Context,
): Promise<Pick<Capture, 'artifacts' | 'warnings' | 'close'>> {
  if (database === undefined) throw new Error('a server without a database');
  const { target, session, server } = database;
  const { program } = await tools.fitting('pg_dumpall', server.major);
  const [row] = await session.query<{ readonly readable: boolean }>(
    `SELECT pg_catalog.has_table_privilege('pg_catalog.pg_authid', 'SELECT') AS readable`,
  );
  const withPasswords = row?.readable === true;
  const libpq = await openLibpq(target, context);
  const argv = [
    program,
    '--no-password',
    '--globals-only',
    `--database=${databaseArgument(target.database)}`,
    ...(withPasswords ? [] : ['--no-role-passwords']),
  ] as const;
  return {
    artifacts: [
      {
        name: GLOBALS,
        extension: 'sql',
        format: GLOBALS_FORMAT,
        source: { kind: 'process', process: { argv, env: libpq.env }, judge: judgeDump },
        estimatedBytes: null,
        inspect: { open: openGlobalsInspector },
      },
    ],
    warnings: withPasswords
      ? []
      : [`without the passwords of roles: user ${target.user ?? 'postgres'} may not read them`],
    close: () => libpq.close(),
  };
}
