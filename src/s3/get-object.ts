import type { GetObjectCommandInput, GetObjectCommandOutput, S3 } from '@aws-sdk/client-s3';
import type { HttpResponse } from '@smithy/core/protocols';
import type { Readable } from 'node:stream';

/** What is asked for: an object or a version of it, whole or a range. */
export type Asked = Pick<GetObjectCommandInput, 'Key' | 'VersionId' | 'Range' | 'IfMatch'>;

/** What a store says of an object, by the names of the SDK, with its bytes as they come. */
export interface ObjectAnswer extends Omit<GetObjectCommandOutput, 'Body' | '$metadata'> {
  readonly body: AsyncIterable<Uint8Array>;
}

interface Options {
  readonly abortSignal: AbortSignal;
}

/** Asks for an object. Its errors are the SDK's, or look like them. */
export type GetObject = (client: S3, asked: Asked, options: Options) => Promise<ObjectAnswer>;

type Headers = Readonly<Record<string, string>>;
/** Sends a signed request. */
type Send = (
  client: S3,
  key: string,
  query: Record<string, string>,
  headers: Headers,
  options: Options,
) => Promise<HttpResponse>;

const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
/** Answers without the object that say all there is to know. */
const TELLING = new Set(['NoSuchKey', 'NoSuchVersion', 'InvalidRange', 'PreconditionFailed']);
const LONGEST_ERROR = 64 * 1024;

/** How a bucket is read. */
export interface Reading {
  readonly bucket: string;
  /** The SDK compares the checksums that the store keeps. */
  readonly checksums: boolean;
  /** Told what each answer says of the store's time. */
  readonly onDate: (text: string | undefined) => void;
}

/**
 * Reads objects of a bucket by the SDK's own signer and connections, without the layers between: those take three times
 * the CPU of the request itself, which is most of reading a bucket of small objects. Where another kind of signature is
 * due, checksums are compared, or the answer is neither the object nor says plainly that there is none, the SDK asks: it
 * knows what to do.
 */
export function createGetObject({ bucket, checksums, onDate }: Reading): GetObject {
  let preparing: Promise<Send | undefined> | undefined;
  return async (client, asked, options) => {
    const send = checksums ? undefined : await (preparing ??= prepare(client, bucket).catch(() => undefined));
    const answer = send && (await getQuickly(send, client, asked, options, onDate));
    return answer ?? getBySdk(client, { ...asked, Bucket: bucket }, options);
  };
}

async function getBySdk(client: S3, asked: GetObjectCommandInput, options: Options): Promise<ObjectAnswer> {
  const { Body, $metadata: _, ...answer } = await client.getObject(asked, options);
  return { ...answer, body: (Body ?? []) as AsyncIterable<Uint8Array> };
}

async function getQuickly(
  send: Send,
  client: S3,
  { Key: key = '', VersionId: version, Range: range, IfMatch: etag }: Asked,
  options: Options,
  onDate: Reading['onDate'],
): Promise<ObjectAnswer | undefined> {
  const headers = {
    'x-amz-content-sha256': EMPTY_SHA256,
    ...(range === undefined ? {} : { range }),
    ...(etag === undefined ? {} : { 'if-match': etag }),
  };
  const response = await send(client, key, version === undefined ? {} : { versionId: version }, headers, options);
  onDate(response.headers['date']);
  const body = response.body as Readable;
  if (response.statusCode === 200 || response.statusCode === 206) return { ...told(response.headers), body };
  const code = await errorCode(body);
  if (!TELLING.has(code)) return undefined;
  throw Object.assign(new Error(code), { name: code, $metadata: { httpStatusCode: response.statusCode } });
}

async function prepare(client: S3, bucket: string): Promise<Send | undefined> {
  const [{ GetObjectCommand }, { getEndpointFromInstructions }, { escapeUriPath, HttpRequest }, { SignatureV4 }] =
    await Promise.all([
      import('@aws-sdk/client-s3'),
      import('@smithy/core/endpoints'),
      import('@smithy/core/protocols'),
      import('@smithy/signature-v4'),
    ]);
  const where = { Bucket: bucket, Key: '-' };
  const { url, properties } = await getEndpointFromInstructions(where, GetObjectCommand, { ...client.config });
  const scheme = properties?.authSchemes?.[0];
  if (scheme?.name !== 'sigv4') return undefined;
  const { credentials, sha256 } = client.config;
  const region = scheme.signingRegion ?? (await client.config.region());
  const signer = new SignatureV4({
    service: scheme.signingName ?? 's3',
    region,
    credentials,
    sha256,
    uriEscapePath: false,
  });
  const { protocol, hostname, host, port, pathname } = url;
  const root = pathname.replace(/\/$/, '');
  return async (sender, key, query, headers, options) => {
    const path = `${root}/${escapeUriPath(key)}`;
    const place = { protocol, hostname, path, ...(port === '' ? {} : { port: Number(port) }) };
    const request = new HttpRequest({ method: 'GET', ...place, query, headers: { ...headers, host } });
    const signingDate = new Date(Date.now() + sender.config.systemClockOffset);
    const signed = await signer.sign(request, { signingDate });
    const sent = await sender.config.requestHandler.handle(new HttpRequest(signed), options);
    return (sent as { readonly response: HttpResponse }).response;
  };
}

/** The code that a store gives in the body of an error. */
async function errorCode(body: Readable): Promise<string> {
  let text = '';
  for await (const chunk of body) {
    text += String(chunk);
    if (text.length > LONGEST_ERROR) break;
  }
  return /<Code>([^<]*)<\/Code>/.exec(text)?.[1] ?? '';
}

const USER = 'x-amz-meta-';

/** What headers say of an object, by the names of the SDK; only those that are there. */
function told(headers: Headers): Omit<ObjectAnswer, 'body'> {
  const user = Object.keys(headers).filter((name) => name.startsWith(USER));
  const pairs = Object.entries(FIELDS).flatMap(([name, header]) => {
    const value = headers[header];
    return value === undefined ? [] : [[name, value] as const];
  });
  const { 'content-length': length, 'x-amz-tagging-count': tags, 'last-modified': modified } = headers;
  return {
    ...Object.fromEntries(pairs),
    Metadata: Object.fromEntries(user.map((name) => [name.slice(USER.length), headers[name] ?? ''])),
    ...(length === undefined ? {} : { ContentLength: Number(length) }),
    ...(tags === undefined ? {} : { TagCount: Number(tags) }),
    ...(Number.isNaN(Date.parse(modified ?? '')) ? {} : { LastModified: new Date(modified ?? '') }),
  };
}

const FIELDS = {
  ETag: 'etag',
  VersionId: 'x-amz-version-id',
  ContentRange: 'content-range',
  ContentType: 'content-type',
  ContentEncoding: 'content-encoding',
  ContentLanguage: 'content-language',
  ContentDisposition: 'content-disposition',
  CacheControl: 'cache-control',
  ExpiresString: 'expires',
  StorageClass: 'x-amz-storage-class',
  WebsiteRedirectLocation: 'x-amz-website-redirect-location',
} as const;
