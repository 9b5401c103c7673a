import { type BkpError, reasonOf, targetError } from '../../../errors.ts';

/** What helps, by the name or the number of a server's error, or by the system's. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [/AuthenticationFailed|auth(?:entication)? (?:error|failed)/i, 'correct `user`, `password` and `authDatabase`'],
  [
    /Unauthorized|not authorized/i,
    'give the user the roles backup, restore and readWriteAnyDatabase of the database admin',
  ],
  [/ECONNREFUSED|connection refused/i, 'is the server running, and are `host` and `port` right?'],
  [/ENOTFOUND|EAI_AGAIN|no such host/i, 'correct `host`'],
  [/certificate|tls|ssl/i, 'see `tls`, `tlsCa` and `tlsCertificateKey`'],
  [/InvalidNamespace/, 'see which names the server takes for databases and collections'],
];

/** An error of the server or of the way to it, in one sentence; `doing` is `cannot query database shop on mongo:27017`. */
export function explainMongoError(doing: string, error: unknown): BkpError {
  const { codeName = '' } = (error ?? {}) as { readonly codeName?: unknown };
  const reason = withoutValues(reasonOf(error).split('\n')[0] ?? '');
  return targetError(`${doing}: ${reason}`, { hint: hintFor(`${String(codeName)} ${reason}`), cause: error });
}

export const hintFor = (reason: string): string | undefined => HINTS.find(([pattern]) => pattern.test(reason))?.[1];

/** Messages of the server quote keys of documents, and the library may quote connection strings. */
export const withoutValues = (message: string): string =>
  message
    .replaceAll(/dup key: \{.*\}/g, 'dup key')
    .replaceAll(/(mongodb(?:\+srv)?:\/\/)[^@/\s]*@/g, '$1***@')
    .replaceAll(/\{.*\}/g, '{…}')
    .trim();
