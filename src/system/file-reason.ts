import { hasErrnoCode, reasonOf } from '../errors.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'no right to do so',
  EPERM: 'no right to do so',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is no folder',
  ENOSPC: 'no space is left',
  EDQUOT: 'the quota is used up',
  EROFS: 'its file system is read-only',
};

/** Why a file that the user named cannot be read or written, without the names of system calls. */
export function fileReason(error: unknown): string {
  const known = Object.entries(REASONS).find(([code]) => hasErrnoCode(error, code));
  return known === undefined ? reasonOf(error) : known[1];
}
