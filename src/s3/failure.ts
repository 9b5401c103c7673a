/** What a failed request tells, whatever the store and the SDK made of it. */
export interface Failure {
  /** The store's own code (`NoSuchKey`), the SDK's name of an error, or the code of the operating system. */
  readonly code: string;
  /** Zero where no answer came. */
  readonly status: number;
  readonly message: string;
  /** Where a store tells the region in which the bucket is. */
  readonly region: string | undefined;
  /** The SDK has corrected its clock by the store's answer. */
  readonly clockCorrected: boolean;
}

/** Reads an error of the SDK. */
export function failureOf(error: unknown): Failure {
  const fields = (typeof error === 'object' && error !== null ? error : {}) as Readonly<Record<string, unknown>>;
  const metadata = (fields['$metadata'] ?? {}) as Readonly<Record<string, unknown>>;
  const status = typeof metadata['httpStatusCode'] === 'number' ? metadata['httpStatusCode'] : 0;
  const text = (key: string): string | undefined => (typeof fields[key] === 'string' ? fields[key] : undefined);
  // Errors of the network carry the system's code; the name of an error of the SDK is what the store called it.
  const named = text('Code') ?? text('name') ?? '';
  const told = status === 0 || named === '' || named === 'Error' ? (text('code') ?? named) : named;
  // An answer that ends early: the SDK cannot read it.
  const code = /XML parse error/.test(text('message') ?? '') ? 'IncompleteAnswer' : told;
  const cause = fields['cause'];
  if (status === 0 && text('code') === undefined && cause instanceof Error && cause !== error) {
    const inner = failureOf(cause);
    if (named === 'Error' || named === 'AggregateError') return inner;
  }
  return {
    code,
    status,
    message: text('message') ?? String(error),
    region: text('Region') ?? headerOf(fields['$response'], 'x-amz-bucket-region'),
    clockCorrected: metadata['clockSkewCorrected'] === true,
  };
}

function headerOf(response: unknown, name: string): string | undefined {
  const { headers } = (response ?? {}) as { readonly headers?: Readonly<Record<string, string>> };
  return headers?.[name];
}

const UNREACHABLE = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN']);
const CUT = new Set([
  'IncompleteAnswer',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ECONNABORTED',
  'TimeoutError',
  'ERR_STREAM_PREMATURE_CLOSE',
]);
const PASSING = new Set([
  'RequestTimeout',
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'TooManyRequests',
  'InternalError',
  'ServiceUnavailable',
  'OperationAborted',
  'ConditionalRequestConflict',
  'IncompleteBody',
  // A store that keeps objects as files, while another runner removes the last one of a folder.
  'ExistingObjectIsDirectory',
]);
const PASSING_STATUS = new Set([408, 425, 429, 500, 502, 503, 504]);

/** How often a request that failed so may be tried in all: a storm passes, a wrong address stays wrong. */
export function triesFor(failure: Failure): number {
  if (UNREACHABLE.has(failure.code) || /did not establish a connection/.test(failure.message)) return 3;
  if (CUT.has(failure.code) || PASSING.has(failure.code) || PASSING_STATUS.has(failure.status)) return 8;
  // Rights reach all servers of a store with delay, and MinIO says so of a folder that another runner just emptied.
  if (failure.code === 'AccessDenied') return 3;
  if (failure.clockCorrected) return 2;
  return 1;
}

/** A body that ended before its end, or had too much: like a cut connection. */
export function cutShort(message: string): Error {
  return Object.assign(new Error(message), { code: 'ECONNRESET' });
}
