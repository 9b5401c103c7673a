import type { Readable } from 'node:stream';
import type { Context } from '../../context.ts';
import { targetError, throwIfAborted } from '../../errors.ts';
import { type ByteName, quoteName } from './byte-name.ts';
import { readArchive } from './read-archive.ts';
import { createArgv } from './tar-argv.ts';
import { judgeCapture } from './tar-messages.ts';
import { type TarProgram, tarProcess } from './tar-program.ts';
import { toolPath } from './tool-path.ts';
import type { TreeCount } from './tree-counter.ts';

/** Reads what was written back through tar, in the order of a list, and counts it as a capture does. */
export async function rescan(
  tar: TarProgram,
  place: { readonly folder: ByteName; readonly listFile: string },
  context: Context,
): Promise<TreeCount> {
  const base = toolPath(place.folder);
  const argv = createArgv(tar, {
    base,
    listFile: place.listFile,
    recursive: false,
    oneFileSystem: false,
    exclude: null,
  });
  const running = context.start(tarProcess(tar, context, argv), { stdin: 'ignore', stdout: 'pipe' });
  const [read, ended] = await Promise.allSettled([readArchive(running.stdout as Readable), running.closed]);
  throwIfAborted(context.signal);
  if (ended.status === 'rejected') throw ended.reason;
  const judgement = judgeCapture(ended.value, []);
  if (judgement.verdict !== 'ok' && ended.value.signal !== 'SIGPIPE') {
    const reason = judgement.verdict === 'failed' ? judgement.reason : 'somebody changes it';
    throw targetError(`cannot read back what was written to ${quoteName(place.folder)}: ${reason}`);
  }
  if (read.status === 'rejected') throw read.reason;
  return read.value;
}
