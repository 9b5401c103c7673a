import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context, ProcessSpec } from '../../../context.ts';
import { targetError } from '../../../errors.ts';
import { bytesIn, tarOfFolder, tellingGrowth } from '../../databases/dump-folder.ts';
import { findTar } from '../../files/tar-program.ts';
import { requireFreeSpace } from '../../free-space.ts';
import { DEFINITIONS_FILE, ROWS_FOLDER, TABLES_FILE } from '../dump/folder-reader.ts';
import { openOptionsFile } from '../server/options-file.ts';
import type { Mydumper } from '../server/mydumper.ts';
import { lockTimeoutSeconds } from '../server/settings.ts';
import { CHANGED } from './judge-dump.ts';
import { judgeMydumper } from './judge-mydumper.ts';
import type { ReadyDatabase } from './ready-database.ts';
import { readSchema } from './schema-script.ts';
import { tablesWithRows } from './mydumper-problems.ts';

/** A finished dump in a private folder. */
export interface MydumperFolder {
  /** Writes its files to stdout as a tar, in the order of a script. */
  readonly process: ProcessSpec;
  readonly bytes: number;
  readonly warnings: readonly string[];
  /** Removes the folder. */
  close(): Promise<void>;
}

export type MydumperOrder = Pick<ReadyDatabase, 'target' | 'tool' | 'tables' | 'session' | 'bytes'> & {
  readonly mydumper: Mydumper;
  /** For the dumping program of the server. */
  readonly optionsArgument: string;
};

/**
 * Lets mydumper write the rows of a database, by several jobs from one moment. Everything else is what the dumping program
 * of the server says, before and after: mydumper itself loses modes of routines and names of tables, and does not see a
 * table that is changed meanwhile. Leaves nothing behind when it fails.
 */
export async function dumpByMydumper(order: MydumperOrder, context: Context): Promise<MydumperFolder> {
  const { target, tool, optionsArgument } = order;
  const tar = await findTar(context);
  await requireFreeSpace(context.workDir, order.bytes, `dump database ${target.database} into a folder`);
  const folder = join(context.workDir, `mydumper-${randomUUID()}`);
  const list = `${folder}.list`;
  const close = async (): Promise<void> => {
    await rm(folder, { recursive: true, force: true });
    await rm(list, { force: true });
  };
  try {
    await mkdir(folder, { mode: 0o700 });
    const before = await readSchema(target, tool, optionsArgument, context);
    const rows = join(folder, ROWS_FOLDER);
    const warnings = await runMydumper(order, rows, context);
    const after = await readSchema(target, tool, optionsArgument, context);
    if (after.shape !== before.shape)
      throw targetError(`cannot dump database ${target.database}: its tables are not what they were`, {
        hint: CHANGED,
      });
    const started = await readStart(rows, target.database);
    await writeFile(join(folder, TABLES_FILE), `${started}${after.tables}`, { mode: 0o600 });
    await writeFile(join(folder, DEFINITIONS_FILE), after.definitions, { mode: 0o600 });
    const files = await nameFiles(order, rows);
    const names = [TABLES_FILE, ...files.map((name) => `${ROWS_FOLDER}/${name}`), DEFINITIONS_FILE];
    const process = await tarOfFolder(tar, { folder, list, names }, context);
    return { process, bytes: (await bytesIn(folder)) + (await bytesIn(rows)), warnings, close };
  } catch (error) {
    await close();
    throw error;
  }
}

const DEFAULT_JOBS = 4;

async function runMydumper(order: MydumperOrder, rows: string, context: Context): Promise<readonly string[]> {
  const { target, session, tables, mydumper } = order;
  const { database, jobs = DEFAULT_JOBS } = target;
  const options = await openOptionsFile(target, mydumper.reads, session.isEncrypted, context, settingsOf(order));
  const omitted = `${rows}.omitted`;
  const known = new Set(tablesWithRows(tables).map(({ name }) => name));
  const others = tables.filter(({ name }) => !known.has(name)).map(({ name }) => `${database}.${name}\n`);
  try {
    await writeFile(omitted, others.toSorted().join(''), { mode: 0o600 });
    const argv = [
      mydumper.program,
      options.argument,
      `--database=${database}`,
      `--outputdir=${rows}`,
      `--omit-from-file=${omitted}`,
      `--threads=${jobs}`,
      ...OPTIONS,
      ...lockOptions(mydumper, target.lock === true),
    ] as const;
    const ended = await tellingGrowth(`dumping ${database}`, rows, () => context.run({ argv, env: TEXT }), context);
    const judgement = judgeMydumper(ended);
    if (judgement.verdict !== 'failed') return judgement.warnings;
    throw targetError(`cannot dump database ${database} with mydumper: ${judgement.reason}`, { hint: judgement.hint });
  } finally {
    await rm(omitted, { force: true });
    await options.close();
  }
}

/** Writers wait for its lock while it waits; limits of applications would end its reading. */
const settingsOf = ({ target, tool }: MydumperOrder): readonly string[] => [
  `lock_wait_timeout = ${lockTimeoutSeconds(target)}`,
  'net_write_timeout = 3600',
  tool.family === 'mysql' ? 'max_execution_time = 0' : 'max_statement_time = 0',
];

/** GLib reads arguments so, whatever the locale: names of databases are UTF-8. */
const TEXT = { CHARSET: 'UTF-8' } as const;

/** Never `--rows`: versions of mydumper lost rows between its ranges. Files are cut by their size instead. */
const OPTIONS = ['--no-schemas', '--build-empty-files', '--complete-insert', '--chunk-filesize=64'] as const;

/** Where we hold a lock, all transactions see the same; else mydumper stops writers until they have begun. */
function lockOptions({ options }: Mydumper, isLocked: boolean): readonly string[] {
  if (!isLocked) return options.has('trx-consistency-only') ? ['--trx-consistency-only'] : [];
  return [options.has('sync-thread-lock-mode') ? '--sync-thread-lock-mode=NO_LOCK' : '--no-locks'];
}

/** When it began and where the binary log was, as comments. Throws where mydumper came to no end. */
async function readStart(rows: string, database: string): Promise<string> {
  const metadata = join(rows, 'metadata');
  const text = await readFile(metadata, 'utf8').catch(() => '');
  if (!/^(?:# )?Finished dump at/m.test(text))
    throw targetError(`cannot dump database ${database} with mydumper: it wrote no end into its metadata`);
  await rm(metadata);
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => `-- mydumper: ${line}\n`)
    .join('');
}

/** Names that every tar takes. Throws where a table has no file, or a file no table. */
async function nameFiles({ target: { database }, tables }: MydumperOrder, rows: string): Promise<readonly string[]> {
  const wanted = new Set(tablesWithRows(tables).map(({ name }) => name));
  const found = new Set<string>();
  const files: string[] = [];
  for (const name of (await readdir(rows)).toSorted()) {
    const table = tableOf(name, database, wanted);
    if (table === null)
      throw targetError(`cannot dump database ${database} with mydumper: it wrote ${name}, of no table there was`, {
        hint: 'capture again: one may have been made meanwhile',
      });
    found.add(table);
    const file = `${String(files.length + 1).padStart(6, '0')}.${table.replaceAll(/[^\w-]/g, '_')}.sql`;
    await rename(join(rows, name), join(rows, file));
    files.push(file);
  }
  const missing = [...wanted].find((name) => !found.has(name));
  if (missing === undefined) return files;
  throw targetError(`cannot dump database ${database} with mydumper: it wrote nothing of table ${missing}`);
}

function tableOf(file: string, database: string, wanted: ReadonlySet<string>): string | null {
  if (!file.startsWith(`${database}.`) || !file.endsWith('.sql')) return null;
  const name = file.slice(database.length + 1, -'.sql'.length);
  const whole = wanted.has(name) ? name : name.replace(/(?:\.\d{5})+$/, '');
  return wanted.has(whole) ? whole : null;
}
