import type { ListMultipartUploadsCommandInput, ListMultipartUploadsCommandOutput } from '@aws-sdk/client-s3';
import { BkpError } from '../../errors.ts';
import { failureOf } from '../../s3/failure.ts';
import type { Store } from '../../s3/store.ts';

/** An upload to which no part was added for a day is taken for dead. */
const ABANDONED_AFTER_MS = 24 * 3_600_000;

interface FoundUpload {
  readonly key: string;
  readonly id: string;
  readonly initiated: Date;
}

/**
 * Aborts uploads below the repository's prefix that writers killed long ago left behind; gives how many. Credentials that
 * may not do that leave it to others.
 */
export async function sweepUploads(store: Store, now: () => Date): Promise<number> {
  let removed = 0;
  try {
    for (const upload of await listUploads(store)) {
      const oldest = now().getTime() - ABANDONED_AFTER_MS;
      if (upload.initiated.getTime() > oldest || (await lastPartAt(store, upload)) > oldest) continue;
      await abort(store, upload);
      removed++;
    }
  } catch (error) {
    if (!isNotAllowed(error)) throw error;
  }
  return removed;
}

const placeOf = (
  { bucket }: Store,
  { key, id }: FoundUpload,
): { readonly Bucket: string; readonly Key: string; readonly UploadId: string } => ({
  Bucket: bucket,
  Key: key,
  UploadId: id,
});

async function listUploads(store: Store): Promise<readonly FoundUpload[]> {
  const found: FoundUpload[] = [];
  for (let marker: Marker | undefined = {}; marker !== undefined;) {
    const page: ListMultipartUploadsCommandOutput = await listPage(store, marker);
    for (const { Key: key, UploadId: id, Initiated: initiated } of page.Uploads ?? [])
      if (key !== undefined && id !== undefined && initiated !== undefined) found.push({ key, id, initiated });
    marker = nextMarker(page);
  }
  return found;
}

type Marker = Pick<ListMultipartUploadsCommandInput, 'KeyMarker' | 'UploadIdMarker'>;

const listPage = (store: Store, from: Marker): Promise<ListMultipartUploadsCommandOutput> =>
  store.request({
    verb: 'list the unfinished uploads of',
    object: '',
    send: (client, options) =>
      client.listMultipartUploads({ Bucket: store.bucket, Prefix: store.prefix, ...from }, options).catch(notAllowed),
  });

function nextMarker(page: ListMultipartUploadsCommandOutput): Marker | undefined {
  if (page.IsTruncated !== true || page.NextKeyMarker === undefined) return undefined;
  return { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
}

/** When its newest part came, as milliseconds; zero without parts. */
async function lastPartAt(store: Store, upload: FoundUpload): Promise<number> {
  const { Parts: parts = [] } = await store.request({
    verb: 'look at',
    object: upload.key,
    send: async (client, options) => {
      // The newest parts of a large upload stand at the end of the list; somebody may have finished it meanwhile.
      const page = await client.listParts(placeOf(store, upload), options).catch(notAllowed);
      if (page.IsTruncated !== true) return page;
      return { Parts: [{ LastModified: new Date(8.64e15) }] };
    },
  });
  return Math.max(0, ...parts.map(({ LastModified }) => LastModified?.getTime() ?? 0));
}

async function abort(store: Store, upload: FoundUpload): Promise<void> {
  await store.request({
    verb: 'remove the unfinished upload of',
    object: upload.key,
    send: async (client, options) => {
      try {
        await client.abortMultipartUpload(placeOf(store, upload), options);
      } catch (error) {
        if (failureOf(error).code !== 'NoSuchUpload') return notAllowed(error);
      }
      return undefined;
    },
  });
}

const REFUSED = 'not allowed to sweep';

function notAllowed(error: unknown): never {
  const { code, status } = failureOf(error);
  if (status === 403 || status === 501 || code === 'NotImplemented') throw new BkpError('repository', REFUSED);
  throw error;
}

const isNotAllowed = (error: unknown): boolean => error instanceof BkpError && error.message === REFUSED;
