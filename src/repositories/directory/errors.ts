import { BkpError, reasonOf, repositoryError } from '../../errors.ts';

interface Explanation {
  readonly reason: string;
  readonly hint: string;
}

const space = {
  reason: 'no space left on its file system',
  hint: 'free space there, or let snapshots go with a shorter retention',
};
const rights = {
  reason: 'permission denied',
  hint: 'run bkp as the user that owns the repository, or correct the rights of its folder',
};
const medium = { reason: 'the disk reports an error', hint: 'check the disk and its file system before the next run' };
const gone = { reason: 'its file system is gone', hint: 'mount it again' };

const EXPLANATIONS: Readonly<Record<string, Explanation>> = {
  ENOSPC: space,
  EDQUOT: { ...space, reason: 'the disk quota is used up' },
  EFBIG: {
    reason: 'the file is larger than its file system or a limit allows',
    hint: 'raise the limit (`ulimit -f`) or use another file system',
  },
  EROFS: {
    reason: 'its file system is read-only',
    hint: 'mount it writable; a disk with errors is often remounted read-only',
  },
  EACCES: rights,
  EPERM: { ...rights, reason: 'operation not permitted' },
  EIO: medium,
  ENXIO: medium,
  ENODEV: gone,
  ESTALE: gone,
  ENOTCONN: gone,
  ETIMEDOUT: gone,
  ELOOP: {
    reason: 'it is a symbolic link',
    hint: 'symbolic links inside a repository are not followed; use a bind mount',
  },
  ENOTDIR: { reason: 'a part of its path is a file', hint: 'move that file out of the repository' },
  EXDEV: { reason: 'it lies on another file system', hint: 'keep all of the repository on one file system' },
  EMFILE: { reason: 'too many open files', hint: 'raise the limit (`ulimit -n`)' },
};

/** Turns an error of node:fs into one that says what failed (the root, when `object` is empty) and what to do. */
export function explain(error: unknown, verb: string, object: string, root: string): BkpError {
  if (error instanceof BkpError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const known = EXPLANATIONS[code];
  const reason = known?.reason ?? reasonOf(error);
  const place = object === '' ? `the repository ${root}` : `${JSON.stringify(object)} in ${root}`;
  return repositoryError(`cannot ${verb} ${place}: ${reason}`, {
    hint: known?.hint,
    cause: error,
  });
}

/** The error for a root that is not there: never mistaken for an empty repository. */
export function rootMissing(root: string, reason = 'the folder does not exist'): BkpError {
  return repositoryError(`cannot use the repository ${root}: ${reason}`, {
    hint: 'is its disk mounted? a new repository is made by `bkp init --repository` or `bkp apply --init-repositories`',
  });
}
