import type { Context } from '../../../context.ts';
import { targetError, throwIfAborted } from '../../../errors.ts';
import type { RestoreOutcome, RestoreRequest } from '../../engine.ts';
import { onlyArchive } from '../archive/only-archive.ts';
import { type ChosenPaths, keyOf } from '../script/chosen-paths.ts';
import type { DefinitionSource, Definitions } from '../script/definitions.ts';
import { readData } from '../script/read-data.ts';
import type { Section } from '../script/sections.ts';
import { leftOutWarnings, type Unowned } from '../script/unowned.ts';
import type { PostgresTarget, Session } from '../server/connection.ts';
import { inTransaction } from '../server/in-transaction.ts';
import { type ArchiveComparison, compareArchive } from './compare-archive.ts';
import { createAll, createCompanions, createKeys, createLast, validateIfPossible } from './create-definitions.ts';
import { orphanConflicts, settleForeignKeys } from './foreign-keys.ts';
import { tellGoneObjects } from './gone-objects.ts';
import { tellMissingParts } from './missing-parts.ts';
import { sequencesOf } from './owned-sequences.ts';
import { quieten, silence } from './quiet.ts';
import { openRowMerge, type RowMerge } from './row-merge.ts';
import { openStatements, type StatementTaker } from './statements.ts';
import { labelOf } from './table.ts';

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
  source: MergeSource,
  chosen: ChosenPaths | null,
  session: Session,
  context: Context,
): Promise<RestoreOutcome> {
  const { request, program, unowned } = source;
  const from = { artifact: onlyArchive(request.artifacts), program, unowned };
  const found = await compareArchive(from, chosen, session, context);
  const { missing } = found;
  const loud = await quieten(session, found.there);
  const fresh = await makeMissing(session, missing);
  const { rows, statements } = await mergeData(from, chosen, found, fresh, session, context);
  const checks = await createKeys(session, missing.keys, missing.needed);
  const settled = await settleRows(request, rows, session);
  const unsure = await validateIfPossible(session, checks);
  const unpublished = await createLast(session, missing.after);
  for (const statement of loud) await session.query(statement);
  const lost = await tellMissingParts(session, from, found.all, found.isWanted, context);
  const gone = chosen === null ? await tellGoneObjects(session, found.all) : [];
  throwIfAborted(context.signal);
  await statements.raiseSequences(new Set(fresh.map(keyOf)));
  const { made } = statements.objects;
  return {
    facts: null,
    keptOld: [],
    restored: { ...settled.restored, ...(made.size === 0 ? {} : { 'large objects': made.size }) },
    conflicts: settled.conflicts,
    warnings: [
      ...leftOutWarnings(unowned, (id, label) => missing.leftOut.has(id) || isOfObject(label, made)),
      ...missing.warnings,
      ...unsure,
      ...unpublished,
      ...lost,
      ...gone,
      ...missing.lacking.map(({ key, needs }) => `${key} was left out: it needs ${needs}, which is not there`),
    ],
  };
}

/** Makes relations that are missing, without keys and rows; returns what was not there. */
async function makeMissing(session: Session, missing: Definitions): Promise<readonly Section[]> {
  const made = await createAll(session, missing.before, missing.needed);
  await createCompanions(session, missing.companions, made);
  return missing.before.filter(({ id }) => made.has(id));
}

/** Adds rows and large objects, and takes note of the values of sequences. */
async function mergeData(
  { artifact, program, unowned }: DefinitionSource,
  chosen: ChosenPaths | null,
  { all, isWanted, there }: ArchiveComparison,
  fresh: readonly Section[],
  session: Session,
  context: Context,
): Promise<{ readonly rows: RowMerge; readonly statements: StatementTaker }> {
  const isWhole = chosen === null;
  const wanted = new Set(all.flatMap((one) => (isWanted(one.id) ? [keyOf(one)] : [])));
  const rows = openRowMerge(session, there, isWhole ? null : wanted);
  const statements = openStatements(session, {
    objects: isWhole ? { overwrite: false, unowned } : null,
    sequences: isWhole ? null : await sequencesOf(session, chosen, fresh, there),
  });
  await readData(artifact, program, context, (part) =>
    part.kind === 'copy' ? rows.take(part) : statements.take(part.text),
  );
  return { rows, statements };
}

/**
 * Takes rows out again that refer to nothing, and tells what came back. Throws `target` where rows could not, unless they
 * may be left out.
 */
async function settleRows(
  { destination, skipConflicts }: MergeSource['request'],
  rows: RowMerge,
  session: Session,
): Promise<Pick<RestoreOutcome, 'restored' | 'conflicts'>> {
  const orphans = await settleForeignKeys(session, [...rows.inserted.keys()]);
  const conflicts = [...rows.conflicts, ...orphanConflicts(orphans)];
  if (conflicts.length > 0 && !skipConflicts) {
    throw targetError(`cannot merge into database ${destination.database}: ${conflicts.join('; ')}`, {
      hint: 'nothing was changed; `--skip-conflicts` leaves these rows out',
    });
  }
  const counts = [...rows.inserted].map(
    ([table, count]) => [labelOf(table), count - (orphans.get(table) ?? 0)] as const,
  );
  return { restored: Object.fromEntries(counts.filter(([, count]) => count > 0)), conflicts };
}

const isOfObject = (label: string, made: ReadonlySet<string>): boolean => {
  const [, first, last = first] = /^ACL LARGE OBJECTS? (\d+)(?:\.\.(\d+))?$/.exec(label) ?? [];
  return first !== undefined && [...made].some((oid) => Number(oid) >= Number(first) && Number(oid) <= Number(last));
};
