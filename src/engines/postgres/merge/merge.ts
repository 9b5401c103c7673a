import type { Context } from '../../../context.ts';
import { targetError, throwIfAborted } from '../../../errors.ts';
import type { RestoreOutcome, RestoreRequest } from '../../engine.ts';
import { type ChosenPaths, keyOf } from '../script/chosen-paths.ts';
import type { PostgresTarget, Session } from '../server/connection.ts';
import { parseCopy, type ScriptPart } from '../script/copy-script.ts';
import { createAll, createCompanions, createKeys, createLast, validateIfPossible } from './create-definitions.ts';
import { collectDefinitions, readOutlines } from '../script/definitions.ts';
import { inTransaction } from '../server/in-transaction.ts';
import { orphanConflicts, settleForeignKeys } from './foreign-keys.ts';
import { quieten, silence } from './quiet.ts';
import { mergeRows } from './rows.ts';
import { readData } from '../script/read-data.ts';
import { openStatements } from './statements.ts';
import { labelOf, type MergeTable, qualified, readMergeTable, readMergeTables } from './table.ts';
import { tellMissingParts } from './missing-parts.ts';
import { onlyArchive } from '../archive/only-archive.ts';
import { sequencesOf } from './owned-sequences.ts';
import { tableKey } from '../server/table-key.ts';
import { readThere } from './there-relations.ts';
import { leftOutWarnings, type Unowned } from '../script/unowned.ts';

export interface MergeSource {
  readonly request: RestoreRequest<PostgresTarget>;
  /** Path of pg_restore. */
  readonly program: string;
  /** Null where owners come back too. */
  readonly unowned: Unowned | null;
}

/**
 * Adds what an archive has and a database lacks, in one transaction that other sessions see whole or not at all: rows,
 * tables, large objects; or of chosen relations only. Writers wait meanwhile, readers do not.
 */
export async function mergePostgres(
  source: MergeSource,
  chosen: ChosenPaths | null,
  admin: Session,
  context: Context,
): Promise<RestoreOutcome> {
  const { destination } = source.request;
  return inTransaction(destination, admin, context, async (session) => {
    await silence(session, destination);
    return mergeInTransaction(source, chosen, session, context);
  });
}

async function mergeInTransaction(
  { request, program, unowned }: MergeSource,
  chosen: ChosenPaths | null,
  session: Session,
  context: Context,
): Promise<RestoreOutcome> {
  const artifact = onlyArchive(request.artifacts);
  const all = chosen?.all ?? (await readOutlines(artifact, program, context));
  const isWanted = (id: number): boolean => chosen?.choice.relations.has(id) !== false;
  const relations = await readThere(session);
  const gone = all.filter((one) => isWanted(one.id) && COMES_BACK.test(one.type) && !relations.has(keyOf(one)));
  const views =
    chosen === null ? [] : all.filter((one) => isWanted(one.id) && one.type === 'VIEW' && !relations.has(keyOf(one)));
  const present = all.filter((one) => one.type === 'TABLE' && isWanted(one.id) && relations.has(keyOf(one)));
  const there = (await readMergeTables(session, present)).filter(({ kind }) => kind !== 'other');
  const missing = await collectDefinitions(
    { artifact, program, unowned },
    all,
    { relations: new Set([...gone, ...views].map(({ id }) => id)), others: chosen?.choice.others ?? new Set() },
    (key) => relations.has(key),
    context,
  );
  const loud = await quieten(session, there);
  const made = await createAll(session, missing.before, missing.needed);
  await createCompanions(session, missing.companions, made);
  const fresh = missing.before.filter(({ id }) => made.has(id));

  const wanted = new Set(all.flatMap((one) => (isWanted(one.id) ? [keyOf(one)] : [])));
  const rows = openRowMerge(session, there, chosen === null ? null : wanted);
  const sequences = chosen === null ? null : await sequencesOf(session, chosen, fresh, there);
  const statements = openStatements(session, {
    objects: chosen === null ? { overwrite: false, unowned } : null,
    sequences,
  });
  await readData(artifact, program, context, (part) =>
    part.kind === 'copy' ? rows.take(part) : statements.take(part.text),
  );

  const checks = await createKeys(session, missing.keys, missing.needed);
  const orphans = await settleForeignKeys(session, [...rows.inserted.keys()]);
  const conflicts = [...rows.conflicts, ...orphanConflicts(orphans)];
  if (conflicts.length > 0 && !request.skipConflicts) {
    throw targetError(`cannot merge into database ${request.destination.database}: ${conflicts.join('; ')}`, {
      hint: 'nothing was changed; `--skip-conflicts` leaves these rows out',
    });
  }
  const unsure = await validateIfPossible(session, checks);
  const unpublished = await createLast(session, missing.after);
  for (const statement of loud) await session.query(statement);
  const counts = [...rows.inserted].map(
    ([table, count]) => [labelOf(table), count - (orphans.get(table) ?? 0)] as const,
  );
  const lost = await tellMissingParts(session, { artifact, program, unowned }, all, isWanted, context);
  throwIfAborted(context.signal);
  await statements.raiseSequences(new Set(fresh.map(keyOf)));
  const { size } = statements.objects.made;
  const objects = size === 0 ? {} : { 'large objects': size };
  return {
    facts: null,
    keptOld: [],
    restored: { ...Object.fromEntries(counts.filter(([, count]) => count > 0)), ...objects },
    conflicts,
    warnings: [
      ...leftOutWarnings(unowned, (id, label) => missing.leftOut.has(id) || isOfObject(label, statements.objects.made)),
      ...missing.warnings,
      ...unsure,
      ...unpublished,
      ...lost,
      ...missing.lacking.map(({ key, needs }) => `${key} was left out: it needs ${needs}, which is not there`),
    ],
  };
}

/** Missing ones are made again; views only tell what is missing. */
const COMES_BACK = /^(?:TABLE|SEQUENCE|MATERIALIZED VIEW|FOREIGN TABLE)$/;

const isOfObject = (label: string, made: ReadonlySet<string>): boolean => {
  const oid = /^ACL LARGE OBJECT (\d+)$/.exec(label)?.[1];
  return oid !== undefined && made.has(oid);
};

interface RowMerge {
  take(part: Extract<ScriptPart, { kind: 'copy' }>): Promise<void>;
  readonly inserted: ReadonlyMap<MergeTable, number>;
  readonly conflicts: readonly string[];
}

function openRowMerge(session: Session, there: readonly MergeTable[], wanted: ReadonlySet<string> | null): RowMerge {
  const known = new Map(there.map((table) => [qualified(table), table]));
  const inserted = new Map<MergeTable, number>();
  const conflicts: string[] = [];
  return {
    inserted,
    conflicts,
    async take({ statement, rows }) {
      const { schema, name, columns } = parseCopy(statement);
      if (wanted?.has(tableKey(schema, name)) === false) return;
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
