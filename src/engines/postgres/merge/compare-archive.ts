import type { Context } from '../../../context.ts';
import { type ChosenPaths, keyOf } from '../script/chosen-paths.ts';
import { collectDefinitions, type DefinitionSource, type Definitions, readOutlines } from '../script/definitions.ts';
import type { Section } from '../script/sections.ts';
import type { Session } from '../server/connection.ts';
import { type MergeTable, readMergeTables } from './table.ts';
import { readThere, type ThereRelations } from './there-relations.ts';

/** What an archive has, held against what a database has. */
export interface ArchiveComparison {
  /** All that the archive defines. */
  readonly all: readonly Section[];
  /** True for what is chosen, by its number. */
  readonly isWanted: (id: number) => boolean;
  /** Tables that are there, whose rows will be merged. */
  readonly there: readonly MergeTable[];
  /** What makes relations that are missing. */
  readonly missing: Definitions;
}

/** Missing ones are made again; of views it is only told, unless they are chosen. */
const COMES_BACK = /^(?:TABLE|SEQUENCE|MATERIALIZED VIEW|FOREIGN TABLE)$/;

export async function compareArchive(
  source: DefinitionSource,
  chosen: ChosenPaths | null,
  session: Session,
  context: Context,
): Promise<ArchiveComparison> {
  const all = chosen?.all ?? (await readOutlines(source.artifact, source.program, context));
  const isWanted = (id: number): boolean => chosen?.choice.relations.has(id) !== false;
  const relations: ThereRelations = await readThere(session);
  const wanted = all.filter(({ id }) => isWanted(id));
  const isThere = (section: Section): boolean => relations.has(keyOf(section));
  const comesBack = ({ type }: Section): boolean => COMES_BACK.test(type) || (chosen !== null && type === 'VIEW');
  const gone = wanted.filter((one) => comesBack(one) && !isThere(one));
  const tables = await readMergeTables(
    session,
    wanted.filter((one) => one.type === 'TABLE' && isThere(one)),
  );
  const missing = await collectDefinitions(
    source,
    all,
    { relations: new Set(gone.map(({ id }) => id)), others: chosen?.choice.others ?? new Set() },
    (key) => relations.has(key),
    context,
  );
  return { all, isWanted, there: tables.filter(({ kind }) => kind !== 'other'), missing };
}
