import { BkpError, reasonOf, targetError } from '../../../errors.ts';

const RIGHTS = 'grant the right: ACL SETUSER … +@read +psync +replconf +ping +info for captures, +@all ~* for restores';

/** What helps, by the first word of the server's answer or by the system's code. */
const HINTS: Readonly<Record<string, string>> = {
  WRONGPASS: 'correct `user` and `password`',
  NOAUTH: 'give `password`, and `user` where it is not the default one',
  NOPERM: RIGHTS,
  LOADING: 'the server still reads its own dump: wait until it answers',
  MISCONF: 'the server cannot write its own dump: see its log',
  OOM: 'the server has reached its `maxmemory`: raise it',
  READONLY: 'it is a replica: restore into the server that it follows',
  NOMASTERLINK: 'it is a replica that has lost the server it follows: capture from that one',
  ECONNREFUSED: 'is the server running, and are `host` and `port` right?',
  ENOTFOUND: 'correct `host`',
  ENOENT: 'correct `socket`',
  ECONNRESET: 'does the server speak TLS where `tls` says otherwise?',
};

/** An error of the server or of the way to it, in one sentence; `doing` is `cannot query redis at cache:6379`. */
export function explainRedisError(doing: string, error: unknown): BkpError {
  if (error instanceof BkpError) return error;
  const cause: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const reason = reasonOf(cause).split('\n')[0] ?? '';
  return targetError(`${doing}: ${reason}`, { hint: HINTS[codeOf(cause)] ?? HINTS[wordOf(error)], cause: error });
}

/** The word that an error of the server begins with: `WRONGPASS`, `NOPERM`, `ERR`. */
const wordOf = (error: unknown): string => /^[A-Z]+/.exec(reasonOf(error))?.[0] ?? '';

function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' ? code : '';
}
