import { reasonOf, targetError, type BkpError } from '../../../errors.ts';

const UNTRUSTED = 'name the file with the certificates that sign that of the server under `tlsCa`';

/** What helps, by the server's name of the error or by the system's code. */
const HINTS: Readonly<Record<string, string>> = {
  ER_ACCESS_DENIED_ERROR: 'correct `user` and `password`',
  ER_ACCESS_DENIED_NO_PASSWORD_ERROR: 'give the `password`',
  ER_DBACCESS_DENIED_ERROR: 'grant the user rights on the database, or correct `database`',
  ER_BAD_DB_ERROR: 'correct `database`',
  ER_TABLEACCESS_DENIED_ERROR: 'grant the right to the user',
  ER_SPECIFIC_ACCESS_DENIED_ERROR: 'grant the right to the user',
  ER_HOST_NOT_PRIVILEGED: 'the server does not let anybody in from here',
  ER_CON_COUNT_ERROR: 'the server has no connection left',
  ER_LOCK_WAIT_TIMEOUT: 'see who holds the table, or raise `lockTimeout`',
  ECONNREFUSED: 'is the server running, and are `host` and `port` right?',
  ENOTFOUND: 'correct `host`',
  ENOENT: 'correct `socket`',
  HANDSHAKE_NO_SSL_SUPPORT: 'the server has no TLS: give it a certificate, or write `tls: prefer`',
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  CERT_HAS_EXPIRED: 'renew the certificate of the server',
  ERR_TLS_CERT_ALTNAME_INVALID: 'give `host` as the certificate has it, or `tls: verify-ca`',
};

/** Values of rows that a message names: they are nobody's business. */
const VALUES = [
  /Duplicate entry '.*' for key/s,
  /(?:Incorrect|Invalid|Truncated incorrect) (.*?) value: '.*?'(?= for|$)/s,
] as const;

/** An error of the server or of the way to it, in one sentence; `doing` is `cannot query database shop on db:3306`. */
export function explainMysqlError(doing: string, error: unknown): BkpError {
  const code = codeOf(error);
  const reason = withoutValues(reasonOf(error).split('\n')[0] ?? '');
  return targetError(`${doing}: ${reason === '' ? code : reason}`, { hint: HINTS[code], cause: error });
}

/** The message of a server without what stands in rows. */
export function withoutValues(message: string): string {
  const [duplicate, incorrect] = VALUES;
  return message.replace(duplicate, 'Duplicate entry for key').replace(incorrect, 'Incorrect $1 value');
}

/** The server's name of an error, the code of a system error, or nothing. */
export function codeOf(error: unknown): string {
  const cause: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const { code } = (cause ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' ? code : '';
}
