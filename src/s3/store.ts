import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import type { S3, S3ClientConfig } from '@aws-sdk/client-s3';
import type { Clock } from '../context.ts';
import { hasErrnoCode } from '../errors.ts';
import { explain } from './errors.ts';
import { failureOf, triesFor } from './failure.ts';
import { createGetObject, type GetObject } from './get-object.ts';
import { type BucketPlace, isAws, keyPrefixOf, locationOf } from './location.ts';
import type { Owner } from './owner.ts';

/** One request, tried again as long as that may help. */
export interface StoreRequest<T> {
  readonly verb: string;
  /** What it is about; empty for the bucket itself. */
  readonly object: string;
  /** Sends it; `earlier` is how often it failed before, which leaves open whether the store did it all the same. */
  readonly send: (client: S3, options: { readonly abortSignal: AbortSignal }, earlier: number) => Promise<T>;
  readonly signal?: AbortSignal;
  /** The store has much to do before it answers: it may be silent for long. */
  readonly isLong?: true;
}

/** A bucket with what is needed to talk to it. Its client is made when it is first used. */
export interface Store {
  readonly location: string;
  readonly bucket: string;
  /** What stands before every key: empty, or ending with a slash. */
  readonly prefix: string;
  readonly owner: Owner;
  /** The store's own checksums are asked for, besides the signed hash of every body. */
  readonly checksums: boolean;
  /** The store's clock as it is now, by its last answer; undefined before the first. */
  now(): Date | undefined;
  /** Asks for an object within a request. */
  readonly getObject: GetObject;
  /** Throws a `repository` error that says what failed and what to do, once trying again does not help. */
  request<T>(request: StoreRequest<T>): Promise<T>;
}

/** Where an object stands, in the words of the SDK. */
export const objectAt = (
  store: Store,
  key: string,
  version?: string,
): { readonly Bucket: string; readonly Key: string; readonly VersionId?: string } => ({
  Bucket: store.bucket,
  Key: store.prefix + key,
  ...(version === undefined ? {} : { VersionId: version }),
});

export interface StoreOptions {
  /** The first pause before a request is tried again; each further one is twice as long. Default 200 ms. */
  readonly retryMs?: number;
  /** Default: with AWS. */
  readonly checksums?: boolean;
}

const LONGEST_PAUSE_MS = 10_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** A store may be silent this long. */
const IDLE_TIMEOUT_MS = 120_000;
/** The same while it puts the parts of a large object together: one that copies them needs minutes for gigabytes. */
const LONG_IDLE_TIMEOUT_MS = 30 * 60_000;
/** How a bucket is reached, in the words of a policy. */
export interface S3Connection extends BucketPlace {
  readonly region?: string;
  readonly pathStyle?: boolean;
  readonly profile?: string;
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  readonly sessionToken?: string;
  readonly caFile?: string;
}

const NEVER = new AbortController().signal;

export function createStore(config: S3Connection, owner: Owner, clock: Clock, options: StoreOptions = {}): Store {
  const place = { location: locationOf(config, owner), owner };
  const checksums = options.checksums ?? isAws(config.endpoint);
  let told: { readonly date: number; readonly at: number } | undefined;
  const onDate = (text: string | undefined): void => {
    const date = Date.parse(text ?? '');
    if (!Number.isNaN(date)) told = { date, at: clock.monotonicMs() };
  };
  const openOnce = (idleMs: number): (() => Promise<S3>) => {
    let opening: Promise<S3> | undefined;
    return () => (opening ??= openClient(settingsOf(config, place, checksums, idleMs), onDate));
  };
  const [open, openPatient] = [openOnce(IDLE_TIMEOUT_MS), openOnce(LONG_IDLE_TIMEOUT_MS)];
  return {
    ...place,
    bucket: config.bucket,
    prefix: keyPrefixOf(config),
    checksums,
    getObject: createGetObject({ bucket: config.bucket, checksums, onDate }),
    now: () => told && new Date(told.date + clock.monotonicMs() - told.at),
    request: async ({ verb, object, send, signal = NEVER, isLong }) => {
      for (let tries = 1; ; tries++) {
        try {
          return await send(await (isLong === true ? openPatient() : open()), { abortSignal: signal }, tries - 1);
        } catch (error) {
          signal.throwIfAborted();
          const failure = failureOf(error);
          if (tries >= triesFor(failure)) throw explain(error, { verb, object }, place);
        }
        await sleep(pauseMs(tries, options.retryMs ?? 200), undefined, { signal });
      }
    },
  };
}

/** Twice as long each time, and never the same for two runners that failed together. */
function pauseMs(tries: number, firstMs: number): number {
  return Math.min(LONGEST_PAUSE_MS, firstMs * 2 ** (tries - 1)) * (0.5 + Math.random() / 2);
}

async function openClient(settings: S3ClientConfig, onDate: (text: string | undefined) => void): Promise<S3> {
  const { S3: Client } = await import('@aws-sdk/client-s3');
  const client = new Client(settings);
  client.middlewareStack.add(
    (next) => async (args) => {
      try {
        const result = await next(args);
        onDate(dateOf(result.response));
        return result;
      } catch (error) {
        onDate(dateOf((error as { readonly $response?: unknown }).$response));
        throw error;
      }
    },
    { step: 'deserialize', name: 'bkpStoreTime' },
  );
  return client;
}

const dateOf = (response: unknown): string | undefined =>
  (response as { readonly headers?: Readonly<Record<string, string>> } | undefined)?.headers?.['date'];

interface Place {
  readonly location: string;
  readonly owner: Owner;
}

function settingsOf(config: S3Connection, place: Place, checksums: boolean, idleMs: number): S3ClientConfig {
  const { endpoint, region, pathStyle, profile, accessKeyId, secretAccessKey, sessionToken, caFile } = config;
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined))
    throw place.owner.error(
      `cannot use ${place.owner.noun} ${place.location}: ${accessKeyId === undefined ? 'secretAccessKey without accessKeyId' : 'accessKeyId without secretAccessKey'}`,
      { hint: 'give both, or neither for what the environment has' },
    );
  const when = checksums ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED';
  const usedRegion = region ?? (endpoint === undefined ? undefined : 'us-east-1');
  return {
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(usedRegion === undefined ? {} : { region: usedRegion }),
    ...(profile === undefined ? {} : { profile }),
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : {
          credentials: {
            accessKeyId,
            secretAccessKey,
            ...(sessionToken === undefined ? {} : { sessionToken }),
          },
        }),
    forcePathStyle: pathStyle ?? !isAws(endpoint),
    // Tried again here, where it is known what may be done twice.
    maxAttempts: 1,
    requestChecksumCalculation: when,
    responseChecksumValidation: when,
    // With it the SDK takes a new connection for every part, and one that knows nothing of `caFile`.
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: idleMs,
      httpsAgent: { keepAlive: true, ...(caFile === undefined ? {} : { ca: certificatesOf(caFile, place) }) },
      httpAgent: { keepAlive: true },
    },
  };
}

function certificatesOf(path: string, { location, owner }: Place): string[] {
  try {
    return [...rootCertificates, readFileSync(path, 'utf8')];
  } catch (error) {
    const reason = hasErrnoCode(error, 'ENOENT') ? 'it does not exist' : 'it cannot be read';
    throw owner.error(`cannot use ${owner.noun} ${location}: ${path}: ${reason}`, { hint: 'correct `caFile`' });
  }
}
