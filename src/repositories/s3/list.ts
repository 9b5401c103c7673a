import type { _Object } from '@aws-sdk/client-s3';
import { checkPrefix, isKeySegment } from '../key.ts';
import type { ListedObject } from '../repository.ts';
import type { Store } from './store.ts';

type Depth = 'deep' | 'shallow';

/** Sorted keys below a prefix. */
export const listKeys = async (store: Store, prefix: string, depth: Depth): Promise<readonly string[]> =>
  (await listObjects(store, prefix, depth)).map(({ key }) => key);

/** What is below a prefix, sorted by key; folders have no version. Objects whose names cannot be keys are not shown. */
export async function listObjects(store: Store, prefix: string, depth: Depth): Promise<readonly ListedObject[]> {
  checkPrefix(prefix);
  const found = new Map<string, ListedObject>();
  for (let token: string | undefined, isFirst = true; isFirst || token !== undefined; isFirst = false) {
    const page = await listPage(store, prefix, depth, token);
    for (const one of page.objects) found.set(one.key, one);
    token = page.next;
  }
  return [...found.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}

interface Page {
  readonly objects: readonly ListedObject[];
  readonly next: string | undefined;
}

async function listPage(store: Store, prefix: string, depth: Depth, token: string | undefined): Promise<Page> {
  const page = await store.request({
    verb: 'list',
    object: prefix,
    send: (client, options) =>
      client.listObjectsV2(
        {
          Bucket: store.bucket,
          Prefix: store.prefix + prefix,
          ...(depth === 'shallow' ? { Delimiter: '/' } : {}),
          ...(token === undefined ? {} : { ContinuationToken: token }),
        },
        options,
      ),
  });
  const keyOf = (full: string | undefined): string => (full ?? '').slice(store.prefix.length);
  const objects = [
    ...(page.Contents ?? []).map((object) => ({ key: keyOf(object.Key), version: versionOf(object) })),
    ...(page.CommonPrefixes ?? []).map((folder) => ({ key: keyOf(folder.Prefix), version: '' })),
  ];
  return {
    objects: objects.filter(({ key }) => isListed(key, depth)),
    next: page.IsTruncated === true ? page.NextContinuationToken : undefined,
  };
}

/** Objects that something else than a store's own interface put into its folder have no entity tag there. */
function versionOf({ ETag, Size, LastModified }: _Object): string {
  const tag = (ETag ?? '').replaceAll('"', '');
  return tag === '' ? `${Size ?? ''} ${LastModified?.getTime() ?? ''}` : tag;
}

/** Consoles make empty objects that end with a slash and stand for folders; those are none of ours. */
function isListed(key: string, depth: Depth): boolean {
  const name = depth === 'shallow' ? key.replace(/\/$/, '') : key;
  return name.split('/').every(isKeySegment);
}
