import type { Context } from '../../../context.ts';
import { BkpError, reasonOf, targetError, throwIfAborted } from '../../../errors.ts';
import type { Facts, RestoreOutcome } from '../../engine.ts';
import { analyzeAfterwards } from './analyze-afterwards.ts';
import { type CleanScript, readCleanScript } from '../script/clean-script.ts';
import { countAndCompare } from './compare-facts.ts';
import type { PostgresTarget, Session } from '../server/connection.ts';
import { parseCopy } from '../script/copy-script.ts';
import { codeOf } from '../server/explain-error.ts';
import { restoredRows } from './fill.ts';
import { inTransaction } from '../server/in-transaction.ts';
import { definesKept, dropsKept, type KeptObjects, readKeptObjects } from './kept-objects.ts';
import type { MergeSource } from '../merge/merge.ts';
import { readData } from '../script/read-data.ts';
import { openStatements } from '../merge/statements.ts';
import { onlyArchive } from '../archive/only-archive.ts';
import { queryInside } from '../server/query-inside.ts';
import type { Section } from '../script/sections.ts';
import { tableKey } from '../server/table-key.ts';
import { leftOutWarnings } from '../script/unowned.ts';
import { assertNoOtherObjects, assertNoOtherTables } from './unknown-tables.ts';
import { assertRowsBrought, readFilledTables } from './unsaved-rows.ts';

/**
 * Exchanges the contents of a database where it stands, for users who may not set it aside: what the archive names is
 * dropped and made again, counted and checked, all in one transaction. What the archive does not know stays, and is an
 * error where it holds data. Nothing is set aside: the state before is in the safety snapshot alone.
 */
export async function replaceInPlace(source: MergeSource, admin: Session, context: Context): Promise<RestoreOutcome> {
  const { request, program, unowned } = source;
  const { destination } = request;
  const script = await readCleanScript(onlyArchive(request.artifacts), program, context, unowned);
  const { facts, warnings } = await inTransaction(destination, admin, context, (session) =>
    exchange(source, script, session, context),
  );
  const outcome = { facts, keptOld: [], restored: restoredRows(facts), conflicts: [] };
  const statistics = await analyzeAfterwards(destination, [], context);
  return { ...outcome, warnings: [...leftOutWarnings(unowned), ...warnings, ...statistics] };
}

async function exchange(
  { request, program, unowned }: MergeSource,
  { drops, before, after }: CleanScript,
  session: Session,
  context: Context,
): Promise<{ readonly facts: Facts; readonly warnings: readonly string[] }> {
  const { destination, accept } = request;
  const kept = await readKeptObjects(session);
  await assertNoOtherTables(session, before, destination);
  const filled = await readFilledTables(session);
  const brought = new Set<string>();
  await dropAll(
    session,
    drops.filter((statement) => !dropsKept(statement, kept)),
    destination,
  );
  const warnings = await define(session, before, kept);
  const statements = openStatements(session, { objects: { overwrite: true, unowned }, sequences: null });
  await readData(onlyArchive(request.artifacts), program, context, async (part) => {
    if (part.kind === 'line') return statements.take(part.text);
    const { schema, name } = parseCopy(part.statement);
    brought.add(tableKey(schema, name));
    await session.copyIn(part.statement, part.rows);
  });
  assertRowsBrought(filled, brought, destination);
  await statements.setSequences();
  await assertNoOtherObjects(session, statements.objects.named, destination);
  warnings.push(...(await define(session, after, kept)));
  throwIfAborted(context.signal);
  const facts = await countAndCompare(session, request);
  await accept?.((sql) => queryInside(session, sql));
  return { facts, warnings };
}

/** The object, or what would go with it, is not as the archive has it; there is nothing to drop. */
const NOT_THERE = ['42703', '42P01', '42704', '42883', '3F000'];
const DEPENDENT = '2BP01';

async function dropAll(session: Session, statements: readonly string[], target: PostgresTarget): Promise<void> {
  for (const statement of statements) {
    await session.query('SAVEPOINT bkp_drop');
    try {
      await session.query(statement);
      await session.query('RELEASE SAVEPOINT bkp_drop');
    } catch (error) {
      const code = error instanceof BkpError ? codeOf(error.cause) : '';
      if (code === DEPENDENT) throw dependentError(target, error);
      if (!NOT_THERE.includes(code)) throw error;
      await session.query('ROLLBACK TO SAVEPOINT bkp_drop');
    }
  }
}

function dependentError({ database }: PostgresTarget, error: unknown): BkpError {
  const { detail = '' } = ((error as BkpError).cause ?? {}) as { readonly detail?: string };
  const said = detail.split('\n')[0] ?? '';
  return targetError(
    `cannot replace database ${database} in place: ${said === '' ? reasonOf(error) : said}, and is not in the snapshot`,
    { hint: 'nothing was changed; drop or move what the snapshot does not have', cause: error },
  );
}

async function define(session: Session, sections: readonly Section[], kept: KeptObjects): Promise<string[]> {
  const warnings: string[] = [];
  for (const section of sections) {
    if (!definesKept(section, kept)) await session.query(section.sql);
    else if (section.type === 'COMMENT')
      warnings.push(`the comment on ${section.name} was left as it is: others own it`);
  }
  return warnings;
}
