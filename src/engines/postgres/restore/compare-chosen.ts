import type { Context } from '../../../context.ts';
import { guardError, targetError } from '../../../errors.ts';
import { onlyArchive } from '../archive/only-archive.ts';
import type { MergeSource } from '../merge/merge.ts';
import { type MergeTable, readMergeTables } from '../merge/table.ts';
import { readThere } from '../merge/there-relations.ts';
import { type ChosenPaths, keyOf } from '../script/chosen-paths.ts';
import { collectDefinitions, type Definitions, type Lacking } from '../script/definitions.ts';
import type { Section } from '../script/sections.ts';
import type { Session } from '../server/connection.ts';

/** What was chosen, held against what is there. */
export interface ChosenComparison {
  readonly relations: readonly Section[];
  /** Those of them that are there. */
  readonly present: readonly Section[];
  /** Tables among these, whose rows are exchanged. */
  readonly tables: readonly MergeTable[];
  /** What makes the others. */
  readonly definitions: Definitions;
}

/** Throws where something is in the way, or what is missing cannot be made. */
export async function compareChosen(
  { request, program, unowned }: MergeSource,
  { all, choice }: ChosenPaths,
  session: Session,
  context: Context,
): Promise<ChosenComparison> {
  const there = await readThere(session);
  const relations = all.filter(({ id }) => choice.relations.has(id));
  const present = relations.filter((relation) => there.has(keyOf(relation)));
  if (request.mode === 'new' && present.length > 0) throw presentError(request.destination.database, present);
  const tables = await readTables(session, present);
  const missing = new Set(relations.filter((one) => !there.has(keyOf(one))).map(({ id }) => id));
  const definitions = await collectDefinitions(
    { artifact: onlyArchive(request.artifacts), program, unowned },
    all,
    { ...choice, relations: missing },
    (key) => there.has(key),
    context,
  );
  const [lacking] = definitions.lacking;
  if (lacking !== undefined) throw lackingError(lacking);
  return { relations, present, tables, definitions };
}

const presentError = (database: string, present: readonly Section[]): Error =>
  guardError(
    `cannot restore ${present.map(keyOf).join(', ')}: database ${database} has ${present.length === 1 ? 'it' : 'them'}`,
    {
      hint: '`--mode replace` puts the captured rows in place, `--mode merge` adds what is missing',
    },
  );

const lackingError = ({ key, needs }: Lacking): Error =>
  targetError(`cannot restore ${key}: it needs ${needs}, which is not there`, {
    hint: `choose it too: --path ${needs}`,
  });

/** Tables whose rows will be others. Throws `target` where something else has the name of one now. */
async function readTables(session: Session, present: readonly Section[]): Promise<readonly MergeTable[]> {
  const tables = await readMergeTables(
    session,
    present.filter(({ type }) => type === 'TABLE'),
  );
  const other = tables.find(({ kind }) => kind === 'other');
  if (other === undefined) return tables;
  throw targetError(`cannot restore table ${keyOf(other)}: something else has its name now`);
}
