import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../../src/context.ts';
import type { RestoreMode, RestoreOutcome } from '../../src/engines/engine.ts';
import { sqlite } from '../../src/engines/sqlite.ts';
import { testContext } from '../test-context.ts';
import { sqliteFixture, withDatabase } from './sqlite-fixture.ts';
import { incoming, newRepository, SNAPSHOT, take, type Taken } from './workbench.ts';

/** A database of a test, with ways to capture it and to bring it back. */
export interface Place {
  readonly context: Context;
  readonly folder: string;
  /** Of the live database; its folder is empty otherwise. */
  readonly path: string;
  readonly run: (sql: string) => void;
  /** All rows of a query, as lists of values. */
  readonly rows: (sql: string) => readonly (readonly unknown[])[];
  readonly take: () => Promise<Taken>;
  readonly restore: (
    taken: Taken,
    mode: RestoreMode,
    options?: { readonly skipConflicts?: boolean; readonly path?: string },
  ) => Promise<RestoreOutcome>;
}

export async function makePlace(...setUp: readonly string[]): Promise<Place> {
  const { context, folder } = await testContext();
  const live = join(folder, 'live');
  await mkdir(live);
  const path = join(live, 'app.db');
  const run = (sql: string): void => withDatabase(path, (database) => database.exec(sql));
  for (const sql of setUp) run(sql);
  const repository = await newRepository(folder, context);
  return {
    context,
    folder,
    path,
    run,
    rows: (sql) =>
      withDatabase(path, (database) =>
        database
          .prepare(sql)
          .all()
          .map((row) => Object.values(row)),
      ),
    take: () => take(sqliteFixture, { type: 'sqlite', path }, repository, context),
    restore: (taken, mode, options = {}) =>
      sqlite.restore(
        {
          destination: { type: 'sqlite', path: options.path ?? path, busyTimeout: '1s' },
          mode,
          artifacts: incoming(taken, context),
          paths: [],
          skipConflicts: options.skipConflicts ?? false,
          noOwner: false,
          expectedFacts: taken.facts,
          snapshot: SNAPSHOT,
        },
        context,
      ),
  };
}
