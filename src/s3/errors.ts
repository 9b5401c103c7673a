import { BkpError, guardError, notFoundError } from '../errors.ts';
import { failureOf, type Failure } from './failure.ts';
import type { Owner } from './owner.ts';

interface Explanation {
  readonly reason: string;
  readonly hint: string;
}

const space = { reason: 'no space left in the store', hint: 'free space there, or raise the quota of the bucket' };
const expired = { reason: 'the credentials have expired', hint: 'renew them and run bkp again' };
const wrongKey = {
  reason: 'the store does not know the access key',
  hint: 'correct `accessKeyId`, or the environment and profile that it comes from',
};
const busy = {
  reason: 'the store asks to slow down, for too long',
  hint: 'run bkp again later; what was not finished is not visible',
};
const certificate = {
  reason: 'its certificate is not trusted',
  hint: 'name the file of the authority that signed it: `caFile`',
};
const region = { reason: 'the bucket is in another region', hint: 'correct `region`' };
const unreachable = { reason: 'the store cannot be reached', hint: 'is `endpoint` right, and the network up?' };
const cut = { reason: 'the connection was cut, again and again', hint: 'check the network, then run bkp again' };
const denied = {
  reason: 'permission denied',
  hint: 'the credentials need s3:ListBucket, s3:GetObject, s3:PutObject and s3:DeleteObject there, for large objects s3:AbortMultipartUpload',
};
const noCredentials = {
  reason: 'there are no credentials',
  hint: 'give `accessKeyId` and `secretAccessKey`, a `profile`, or what the AWS SDK looks for (AWS_ACCESS_KEY_ID, …)',
};
const noBucket = {
  reason: 'the bucket does not exist',
  hint: 'correct `bucket` and `endpoint`, or make the bucket: bkp never makes one',
};

const noStore = { reason: 'it is gone, or what answers is no S3 store', hint: 'correct `endpoint`' };

const EXPLANATIONS: Readonly<Record<string, Explanation>> = {
  NoSuchBucket: noBucket,
  InvalidBucketName: noBucket,
  AccessDenied: denied,
  Forbidden: denied,
  AllAccessDisabled: denied,
  AccountProblem: denied,
  InvalidAccessKeyId: wrongKey,
  SignatureDoesNotMatch: { reason: 'the secret access key is wrong', hint: 'correct `secretAccessKey`' },
  ExpiredToken: expired,
  ExpiredTokenException: expired,
  TokenRefreshRequired: expired,
  RequestExpired: expired,
  InvalidToken: { reason: 'the session token is not valid', hint: 'renew `sessionToken` together with its access key' },
  CredentialsProviderError: noCredentials,
  RequestTimeTooSkewed: {
    reason: 'the clock of this machine and that of the store differ too much',
    hint: 'set the clock of this machine (NTP)',
  },
  PermanentRedirect: region,
  AuthorizationHeaderMalformed: region,
  IllegalLocationConstraintException: region,
  NotFound: noStore,
  MethodNotAllowed: noStore,
  SlowDown: busy,
  ServiceUnavailable: busy,
  TooManyRequests: busy,
  Throttling: busy,
  ThrottlingException: busy,
  QuotaExceeded: space,
  InsufficientStorage: space,
  XMinioStorageFull: space,
  EntityTooLarge: { reason: 'it is larger than the store takes', hint: 'split the target, or use another store' },
  KeyTooLongError: { reason: 'its key is longer than 1024 bytes', hint: 'use a shorter `prefix`' },
  InvalidStorageClass: { reason: 'the store has no such storage class', hint: 'correct `storageClass`' },
  InvalidObjectState: {
    reason: 'it is in an archive that cannot be read at once',
    hint: 'restore it in the store first, and use a `storageClass` that can be read at once',
  },
  ECONNREFUSED: { ...unreachable, reason: 'nobody listens there' },
  ENOTFOUND: { ...unreachable, reason: 'its host name is not known' },
  EAI_AGAIN: { ...unreachable, reason: 'its host name is not known' },
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  TimeoutError: { ...cut, reason: 'the store did not answer' },
  ETIMEDOUT: { ...cut, reason: 'the store did not answer' },
  IncompleteAnswer: cut,
  ECONNRESET: cut,
  EPIPE: cut,
  ECONNABORTED: cut,
  ERR_STREAM_PREMATURE_CLOSE: cut,
  EPROTO: { reason: 'it does not speak TLS', hint: 'does `endpoint` begin with http:// instead?' },
  CERT_HAS_EXPIRED: { reason: 'its certificate has expired', hint: 'renew the certificate of the store' },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    reason: 'its certificate is for another name',
    hint: 'use the name in the certificate as `endpoint`, or `pathStyle: true`',
  },
  DEPTH_ZERO_SELF_SIGNED_CERT: certificate,
  SELF_SIGNED_CERT_IN_CHAIN: certificate,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: certificate,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: certificate,
};
const BY_STATUS: Readonly<Record<number, Explanation>> = {
  301: region,
  403: denied,
  404: noStore,
  405: noStore,
  429: busy,
  503: busy,
  507: space,
};

/** What was tried. */
interface Attempt {
  readonly verb: string;
  /** Empty for the place itself. */
  readonly object: string;
}

/** Where it was tried. */
interface Place {
  readonly location: string;
  readonly owner: Owner;
}

/** Turns what the SDK threw into an error that says what failed and what to do; it holds nothing that was sent. */
export function explain(error: unknown, { verb, object }: Attempt, { location, owner }: Place): BkpError {
  if (error instanceof BkpError) return error;
  const failure = failureOf(error);
  const place = object === '' ? `${owner.noun} ${location}` : `${JSON.stringify(object)} in ${location}`;
  if (failure.status === 412) return guardError(`cannot ${verb} ${place}: another object is there`);
  const { reason, hint } = explanationOf(failure);
  return owner.error(`cannot ${verb} ${place}: ${reason}`, { hint });
}

function explanationOf(failure: Failure): Explanation | { readonly reason: string; readonly hint: undefined } {
  const { code, status, message } = failure;
  if (message.startsWith('Region is missing'))
    return { reason: 'there is no region', hint: 'give `region`, or `endpoint` where it is not AWS' };
  const known = EXPLANATIONS[code] ?? BY_STATUS[status];
  if (known === region) return { reason: region.reason, hint: regionHint(failure) };
  if (known !== undefined) return known;
  const said = message.trim().replace(/\.$/, '');
  return { reason: said === '' || said === code ? `${code} (${status})` : `${said} (${code})`, hint: undefined };
}

function regionHint({ region: told, message }: Failure): string {
  const right = told ?? /expecting '([a-z0-9-]+)'/.exec(message)?.[1];
  return right === undefined ? region.hint : `set \`region: ${right}\``;
}

export const missingKey = (key: string, location: string): BkpError =>
  notFoundError(`cannot read ${JSON.stringify(key)} in ${location}: it does not exist`);
