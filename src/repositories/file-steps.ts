import { constants, copyFile, link, mkdir, open, rename, rmdir, unlink, type FileHandle } from 'node:fs/promises';
import { hasErrnoCode } from '../errors.ts';

/**
 * Every change that a directory repository makes to its file system, one step each: what a crash can come between.
 * Throws the errors of node:fs.
 */
export interface FileSteps {
  /** Makes one folder, mode 0700. */
  readonly makeFolder: (path: string) => Promise<void>;
  /** Makes a new file, mode 0600, and opens it for writing. */
  readonly createFile: (path: string) => Promise<FileHandle>;
  /** Appends all bytes. */
  readonly write: (file: FileHandle, chunks: readonly Uint8Array[]) => Promise<void>;
  readonly syncFile: (file: FileHandle) => Promise<void>;
  readonly syncFolder: (path: string) => Promise<void>;
  readonly rename: (from: string, to: string) => Promise<void>;
  readonly link: (from: string, to: string) => Promise<void>;
  /** Makes a new file of the blocks of another one and syncs it; fails where the file system cannot. */
  readonly reflink: (from: string, to: string) => Promise<void>;
  readonly removeFile: (path: string) => Promise<void>;
  readonly removeFolder: (path: string) => Promise<void>;
}

/** The steps as the operating system does them. */
export const fileSteps: FileSteps = {
  makeFolder: (path) => mkdir(path, { mode: 0o700 }),
  createFile: (path) => open(path, 'wx', 0o600),
  write: writeAll,
  syncFile: (file) => file.sync(),
  syncFolder,
  rename,
  link,
  reflink,
  removeFile: unlink,
  removeFolder: rmdir,
};

async function writeAll(file: FileHandle, chunks: readonly Uint8Array[]): Promise<void> {
  const { bytesWritten } = await file.writev(chunks);
  const total = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  if (bytesWritten === total) return;
  const bytes = Buffer.concat(chunks);
  let offset = bytesWritten;
  while (offset < total) offset += (await file.write(bytes, offset)).bytesWritten;
}

async function reflink(from: string, to: string): Promise<void> {
  await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
  const file = await open(to);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } catch (error) {
    // Some network file systems cannot sync a folder; they write names through.
    if (!hasErrnoCode(error, 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP')) throw error;
  } finally {
    await folder.close();
  }
}
