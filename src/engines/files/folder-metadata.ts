import { rm } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Context, ProcessSpec } from '../../context.ts';
import { targetError } from '../../errors.ts';
import { type ByteName, quoteName } from './byte-name.ts';
import { createNameList } from './name-list.ts';
import { toolPath } from './tool-path.ts';
import type { FolderArchive } from './swap-journal.ts';
import { createArgv, extractArgv } from './tar-argv.ts';
import { judgeExtraction } from './tar-messages.ts';
import { type TarProgram, tarProcess } from './tar-program.ts';

/**
 * Keeps owners, modes, times to the nanosecond and attributes of folders, without what is in them, in an archive that
 * can be laid over folders of the same names later.
 */
export async function saveFolders(
  folders: { readonly base: ByteName; readonly names: readonly ByteName[] },
  file: ByteName,
  tar: TarProgram,
  context: Context,
): Promise<void> {
  const list = createNameList(join(context.workDir, `folders-${randomUUID()}.list`));
  try {
    try {
      for (const name of folders.names) list.add(name);
    } finally {
      list.close();
    }
    const base = toolPath(folders.base);
    const argv = createArgv(tar, { base, listFile: list.path, recursive: false, oneFileSystem: false, exclude: null });
    await runTar(withFile(argv, file), 'keep the metadata of folders', tar, context);
  } finally {
    await rm(list.path, { force: true });
  }
}

/** Lays kept metadata over the folders. */
export async function applyFolders({ file, base }: FolderArchive, tar: TarProgram, context: Context): Promise<void> {
  const options = { base: toolPath(base), listFile: null, asRoot: context.host.uid === 0, textAcls: false };
  await runTar(
    withFile(extractArgv(tar, options), file),
    `set the metadata of folders in ${quoteName(base)}`,
    tar,
    context,
  );
}

const withFile = (argv: readonly string[], file: ByteName): readonly string[] =>
  argv.flatMap((word, index) => {
    if (word === '--file=-') return [`--file=${toolPath(file)}`];
    return word === '-' && argv[index - 1] === '-f' ? [toolPath(file)] : [word];
  });

async function runTar(argv: readonly string[], what: string, tar: TarProgram, context: Context): Promise<void> {
  const process: ProcessSpec = tarProcess(tar, context, argv);
  const judgement = judgeExtraction(await context.run(process));
  if (judgement.verdict === 'failed') throw targetError(`cannot ${what}: ${judgement.reason}`);
}
