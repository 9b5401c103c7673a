import { reasonOf, targetError, type BkpError } from '../../../errors.ts';

const UNTRUSTED = 'name the file with the certificates that sign that of the server under `tlsCa`';

/** What helps, by SQLSTATE or by the system's code. */
const HINTS: Readonly<Record<string, string>> = {
  '28P01': 'correct `user` and `password`',
  '28000': 'the server does not let this user in from here: see its pg_hba.conf',
  '3D000': 'correct `database`',
  '42501': 'grant the right to the user, or connect as the owner',
  '53300': 'the server has no connection left',
  ECONNREFUSED: 'is the server running, and are `host` and `port` right?',
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  CERT_SIGNATURE_FAILURE: UNTRUSTED,
  CERT_HAS_EXPIRED: 'renew the certificate of the server',
  ERR_TLS_CERT_ALTNAME_INVALID: 'give `host` as the certificate has it, or `tls: verify-ca`',
  ENOTFOUND: 'correct `host`',
  ENOENT: 'correct `socket`: the folder that holds .s.PGSQL.5432',
};

/** Node.js does not know that its flags are not ours to set, and that we do ask the system. */
const ADVICE_OF_NODE = /; if the root CA is installed locally, .*$/;

/** A standby ends what keeps it from following its primary. */
export const OF_STANDBY =
  'turn hot_standby_feedback on, raise max_standby_streaming_delay, or capture from the primary';

/** An error of the server or of the way to it, in one sentence; `doing` is `cannot query database kong on db:5432`. */
export function explainPostgresError(doing: string, error: unknown): BkpError {
  const code = codeOf(error);
  const reason = (reasonOf(error).split('\n')[0] ?? '').replace(ADVICE_OF_NODE, '');
  const hint = reason.includes('conflict with recovery') ? OF_STANDBY : HINTS[code];
  return targetError(`${doing}: ${reason === '' ? code : reason}`, { hint, cause: error });
}

/** SQLSTATE of a server's error, the code of a system error, or nothing. */
export function codeOf(error: unknown): string {
  const cause: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const { code } = (cause ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' ? code : '';
}
