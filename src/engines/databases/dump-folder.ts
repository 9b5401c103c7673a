import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context, ProcessSpec } from '../../context.ts';
import { type TarProgram, tarProcess } from '../files/tar-program.ts';

/** Often enough for time limits, seldom enough for a folder with thousands of files. */
const BEAT_MS = 10_000;

/** Tells, while a program works, how much it has written into a folder. */
export async function tellingGrowth<T>(
  subject: string,
  folder: string,
  work: () => Promise<T>,
  context: Context,
): Promise<T> {
  const tell = async (): Promise<void> => {
    const bytes = await bytesIn(folder).catch(() => 0);
    context.emit({ type: 'progress', subject, bytes, totalBytes: null });
  };
  const beat = setInterval(() => void tell(), BEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(beat);
  }
}

/** Bytes of the files in a folder; what lies below is not looked at. */
export async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder)) bytes += (await stat(join(folder, name))).size;
  return bytes;
}

/** What writes files of a folder to stdout as a tar, in the order of their names in `list`, which is made. */
export async function tarOfFolder(
  tar: TarProgram,
  { folder, list, names }: { readonly folder: string; readonly list: string; readonly names: readonly string[] },
  context: Context,
): Promise<ProcessSpec> {
  await writeFile(list, `${names.join('\n')}\n`, { mode: 0o600, flag: 'wx' });
  return tarProcess(tar, context, argvOf(tar, folder, list));
}

/** Nobody's files, of no time: the same dump gives the same bytes. */
function argvOf({ flavour }: TarProgram, folder: string, list: string): readonly string[] {
  const nobody =
    flavour === 'gnu'
      ? ['--numeric-owner', '--owner=0', '--group=0', '--mtime=@0', '--mode=0600', '--blocking-factor=64']
      : ['--uid', '0', '--gid', '0', '--uname', '', '--gname', ''];
  return ['-c', '-f', '-', '--format=pax', ...nobody, '-C', folder, '-T', list];
}
