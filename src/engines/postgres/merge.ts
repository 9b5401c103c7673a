import type { Context } from '../../context.ts';
import { targetError, throwIfAborted } from '../../errors.ts';
import type { RestoreOutcome, RestoreRequest } from '../engine.ts';
import type { PostgresTarget, Session } from './connection.ts';
import { parseCopy, type ScriptPart } from './copy-script.ts';
import { inTransaction } from './in-transaction.ts';
import { orphanConflicts, settleForeignKeys } from './merge-foreign-keys.ts';
import { createKeys, createUnlessThere, findMissing } from './merge-missing.ts';
import { silence, silenceAlways } from './merge-quiet.ts';
import { mergeRows } from './merge-rows.ts';
import { readData } from './merge-source.ts';
import { openStatements } from './merge-statements.ts';
import { labelOf, type MergeTable, qualified, readMergeTable } from './merge-table.ts';
import { onlyArchive } from './only-archive.ts';
import type { Unowned } from './unowned.ts';

export interface MergeSource {
  readonly request: RestoreRequest<PostgresTarget>;
  /** Path of pg_restore. */
  readonly program: string;
  /** Null where owners come back too. */
  readonly unowned: Unowned | null;
}

/**
 * Adds what an archive has and a database lacks, in one transaction that other sessions see whole or not at all: rows,
 * tables, large objects. Writers wait meanwhile, readers do not.
 */
export async function mergePostgres(source: MergeSource, admin: Session, context: Context): Promise<RestoreOutcome> {
  const { destination } = source.request;
  return inTransaction(destination, admin, context, async (session) => {
    await silence(session, destination);
    return mergeInTransaction(source, session, context);
  });
}

async function mergeInTransaction(
  { request, program, unowned }: MergeSource,
  session: Session,
  context: Context,
): Promise<RestoreOutcome> {
  const artifact = onlyArchive(request.artifacts);
  const there: MergeTable[] = [];
  const missing = await findMissing(
    artifact,
    program,
    context,
    async (tables) => {
      const gone = new Set<number>();
      for (const { id, schema, name } of tables) {
        const table = await readMergeTable(session, schema, name);
        if (table === null) gone.add(id);
        else if (table.kind !== 'other') there.push(table);
      }
      return gone;
    },
    unowned,
  );
  if (there.length > 0) {
    await session.query(`LOCK TABLE ${there.map(qualified).join(', ')} IN SHARE ROW EXCLUSIVE MODE`);
  }
  const loud: string[] = [];
  for (const table of there) loud.push(...(await silenceAlways(session, table)));
  await createUnlessThere(session, missing.before);
  for (const { sql } of missing.tables) await session.query(sql);

  const rows = openRowMerge(session, there);
  const statements = openStatements(session, { overwrite: false, unowned });
  await readData(artifact, program, context, (part) =>
    part.kind === 'copy' ? rows.take(part) : statements.take(part.text),
  );

  const checks = await createKeys(session, missing.keys);
  const orphans = await settleForeignKeys(session, [...rows.inserted.keys()]);
  const conflicts = [...rows.conflicts, ...orphanConflicts(orphans)];
  if (conflicts.length > 0 && !request.skipConflicts) {
    throw targetError(`cannot merge into database ${request.destination.database}: ${conflicts.join('; ')}`, {
      hint: 'nothing was changed; `--skip-conflicts` leaves these rows out',
    });
  }
  for (const statement of [...checks, ...missing.after.map(({ sql }) => sql), ...loud]) await session.query(statement);
  const counts = [...rows.inserted].map(
    ([table, count]) => [labelOf(table), count - (orphans.get(table) ?? 0)] as const,
  );
  throwIfAborted(context.signal);
  await statements.raiseSequences();
  const made = statements.objects.made.size;
  const objects = made === 0 ? {} : { 'large objects': made };
  return {
    facts: null,
    keptOld: [],
    restored: { ...Object.fromEntries(counts.filter(([, count]) => count > 0)), ...objects },
    conflicts,
    warnings: [],
  };
}

interface RowMerge {
  take(part: Extract<ScriptPart, { kind: 'copy' }>): Promise<void>;
  readonly inserted: ReadonlyMap<MergeTable, number>;
  readonly conflicts: readonly string[];
}

function openRowMerge(session: Session, there: readonly MergeTable[]): RowMerge {
  const known = new Map(there.map((table) => [qualified(table), table]));
  const inserted = new Map<MergeTable, number>();
  const conflicts: string[] = [];
  return {
    inserted,
    conflicts,
    async take({ statement, rows }) {
      const { schema, name, columns } = parseCopy(statement);
      const table = known.get(qualified({ schema, name })) ?? (await readMergeTable(session, schema, name));
      if (table === null || table.kind === 'other') {
        conflicts.push(`${labelOf({ schema, name })}: something else has its name now`);
        return;
      }
      const merged = await mergeRows(session, table, columns, rows);
      conflicts.push(...merged.conflicts);
      if (merged.inserted > 0) inserted.set(table, merged.inserted);
    },
  };
}
