import { closeSync, fsyncSync, openSync } from 'node:fs';
import type { Context } from '../../context.ts';
import { type ByteName, toBuffer } from './byte-name.ts';
import { toolPath } from './tool-path.ts';

/** More folders than this are synced with their whole file system, which costs one wait instead of one for each. */
const MOST_FOLDERS = 8;

/** Makes the names in a folder survive a power cut. */
export function syncFolder(folder: ByteName): void {
  const handle = openSync(toBuffer(folder), 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** The same for many folders of one or more file systems, the staging folders standing for these. */
export async function syncFolders(
  folders: ReadonlySet<ByteName>,
  stagings: readonly ByteName[],
  context: Context,
): Promise<void> {
  if (folders.size <= MOST_FOLDERS || context.findTool('sync') === undefined)
    for (const folder of folders) syncFolder(folder);
  else for (const staging of stagings) await syncFileSystem(staging, context);
}

/** Makes everything on the file system of a folder survive a power cut. */
export async function syncFileSystem(folder: ByteName, context: Context): Promise<void> {
  if (context.findTool('sync') === undefined) return;
  const argv: readonly [string, ...string[]] =
    context.host.platform === 'linux' ? ['sync', '-f', toolPath(folder)] : ['sync'];
  await context.run({ argv });
}
