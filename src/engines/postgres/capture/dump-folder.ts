import { randomUUID } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context, ProcessSpec } from '../../../context.ts';
import { targetError } from '../../../errors.ts';
import { bytesIn, tarOfFolder, tellingGrowth } from '../../databases/dump-folder.ts';
import { findTar } from '../../files/tar-program.ts';
import { requireFreeSpace } from '../../free-space.ts';
import type { Session } from '../server/connection.ts';
import type { DumpOrder } from './dump-artifact.ts';
import { judgeDump } from './judge-dump.ts';
import { TOC_FILE } from '../archive/tar-archive.ts';

/** A finished dump in a private folder. */
interface DumpedFolder {
  /** Writes its files to stdout as a tar, the table of contents first. */
  readonly process: ProcessSpec;
  readonly bytes: number;
  readonly warnings: readonly string[];
  /** Removes the folder. */
  close(): Promise<void>;
}

/** Lets pg_dump write a folder, by several jobs where that is asked for. Leaves nothing behind when it fails. */
export async function dumpFolder(order: DumpOrder, context: Context): Promise<DumpedFolder> {
  const { database } = order.target;
  const tar = await findTar(context);
  await requireFreeSpace(context.workDir, await sizeOf(order.session), `dump database ${database} into a folder`);
  const folder = join(context.workDir, `pg-dump-${randomUUID()}`);
  const list = `${folder}.list`;
  const close = async (): Promise<void> => {
    await rm(folder, { recursive: true, force: true });
    await rm(list, { force: true });
  };
  try {
    const warnings = await runDump(order, folder, context);
    const names = (await readdir(folder)).toSorted();
    const sorted = [TOC_FILE, ...names.filter((name) => name !== TOC_FILE)];
    const process = await tarOfFolder(tar, { folder, list, names: sorted }, context);
    return { process, bytes: await bytesIn(folder), warnings, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function runDump(
  { target: { database, jobs = 1 }, program, env, options }: DumpOrder,
  folder: string,
  context: Context,
): Promise<readonly string[]> {
  const form = ['--format=directory', '--compress=0', '--no-sync', `--jobs=${jobs}`, `--file=${folder}`];
  const argv = [program, ...form, '--no-password', ...options] as const;
  const judgement = judgeDump(
    await tellingGrowth(`dumping ${database}`, folder, () => context.run({ argv, env }), context),
  );
  if (judgement.verdict !== 'failed') return judgement.warnings;
  throw targetError(`cannot dump database ${database}: ${judgement.reason}`, { hint: judgement.hint });
}

/** About what a dump takes: the database without its indexes, as far as that is known without waiting for locks. */
async function sizeOf(session: Session): Promise<number> {
  const [row] = await session.query<{ readonly bytes: string | null }>(
    `SELECT pg_catalog.pg_database_size(pg_catalog.current_database()) - pg_catalog.current_setting('block_size')::bigint
       * COALESCE(sum(relpages::bigint), 0) AS bytes FROM pg_catalog.pg_class WHERE relkind = 'i'`,
  );
  return Number(row?.bytes ?? 0);
}
