import { reasonOf, targetError, type BkpError } from '../../../errors.ts';

const UNTRUSTED =
  'name the file with the certificates that sign that of the server under `tlsCa`, or its fingerprint under `tlsFingerprint`';

/** What helps, by the system's code or the type of the server's exception. */
const HINTS: Readonly<Record<string, string>> = {
  '401': 'correct `username` and `password`, `apiKey` or `bearerToken`',
  '403': 'the user lacks a right, or a block forbids it; capturing needs read and view_index_metadata on the indices',
  ECONNREFUSED: 'is the server running, and is `url` right?',
  ENOTFOUND: 'correct `url`',
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  CERT_HAS_EXPIRED: 'renew the certificate of the server',
  ERR_TLS_CERT_ALTNAME_INVALID: 'give `url` as the certificate has it',
};

const MOST_LETTERS = 500;

/** Servers quote values of documents in their reasons; what they quote is left out. */
export const withoutValues = (reason: string): string =>
  reason
    .replace(/Preview of field's value: .*$/s, '')
    .replace(/For input string: ".*"/s, 'not a number')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, MOST_LETTERS);

/** The reason that a server gives in an error. */
export function reasonOfBody(body: Buffer, status: number): string {
  try {
    const { error } = JSON.parse(body.toString()) as { readonly error?: unknown };
    if (typeof error === 'string') return withoutValues(error);
    return withoutValues(reasonOfCause(error)) || `it answered ${status}`;
  } catch {
    return withoutValues(body.toString()) || `it answered ${status}`;
  }
}

interface Cause {
  readonly type?: string;
  readonly reason?: string;
  readonly root_cause?: readonly Cause[];
  readonly caused_by?: Cause;
}

/** The deepest reason that says something of its own. */
export function reasonOfCause(error: unknown): string {
  const { type = '', reason = '', root_cause: [root] = [], caused_by: by } = (error ?? {}) as Cause;
  const parts = [root?.reason ?? reason, by?.reason, by?.caused_by?.reason].filter((part) => part !== undefined);
  const told = [...new Set(parts)].filter((part) => part !== '').join(': ');
  return told === '' ? type : told;
}

/** What a server refused, in one sentence. */
export function refusal(doing: string, status: number, body: Buffer): BkpError {
  const reason = reasonOfBody(body, status);
  return targetError(`${doing}: ${reason}`, {
    hint: hintOfPrivilege(reason) ?? OF_REASON.find(([told]) => told.test(reason))?.[1] ?? HINTS[String(status)],
  });
}

/** What helps, by what a server says of its repositories for snapshots. */
const OF_REASON: readonly (readonly [RegExp, string])[] = [
  [/path\.repo/, 'allow the folder under `path.repo` in the configuration of the server, on every node'],
  [/repositories\.url\.allowed_urls/, 'allow the address under `repositories.url.allowed_urls`, on every node'],
  [
    /repository type \[\w+\] does not exist|Unable to find repository type/i,
    'the server has no plugin for this `type`: install it on every node',
  ],
  [
    /is not accessible on|verification failed|failed to create blob/i,
    'every node must be able to write where the repository lies',
  ],
];

/** Servers tell which action somebody may not do; Elasticsearch also what would allow it, the smallest first. */
function hintOfPrivilege(reason: string): string | undefined {
  const [, allowedBy, smallest] = /granted by the (cluster|index) privileges \[([^,\]]+)/.exec(reason) ?? [];
  const [, names] = /\bon (?:restricted )?indices \[([^\]]+)\]/.exec(reason) ?? [];
  if (smallest !== undefined) {
    const where = allowedBy === 'cluster' ? 'the cluster' : (names ?? 'the indices');
    return `give the user the privilege ${smallest} on ${where}, by a role`;
  }
  const [, action] = /no permissions for \[([^\]]+)\]/.exec(reason) ?? [];
  return action === undefined ? undefined : `allow ${action} in a role of the user`;
}

/** Node.js does not know that its flags are not ours to set. */
const ADVICE_OF_NODE = /; if the root CA is installed locally, .*$/;
const OF_CERTIFICATE = /self-signed certificate|unable to (?:get|verify)/;

/** What kept a request from reaching the server, or its answer from coming back. */
export function unreachable(doing: string, error: unknown): BkpError {
  const { cause } = (error ?? {}) as { readonly cause?: unknown };
  const code = [error, cause].map((one) => (one as { readonly code?: unknown } | undefined)?.code).find(isText);
  const said = (reasonOf(error).split('\n')[0] ?? '').replace(ADVICE_OF_NODE, '');
  return targetError(`${doing}: ${said === '' ? (code ?? 'no answer') : said}`, {
    // The client keeps the message and loses the code.
    hint:
      HINTS[code ?? ''] ?? (OF_CERTIFICATE.test(said) ? UNTRUSTED : HINTS[/\b(E[A-Z]{5,})\b/.exec(said)?.[1] ?? '']),
    cause: error,
  });
}

const isText = (value: unknown): value is string => typeof value === 'string' && !value.startsWith('UND_ERR');
