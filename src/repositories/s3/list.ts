import { eachLimited } from '../../each-limited.ts';
import { checkPrefix } from '../key.ts';
import type { ListedObject } from '../repository.ts';
import { listPage, type Depth, type Page } from './list-page.ts';
import type { Store } from '../../s3/store.ts';

/** Sorted keys below a prefix. */
export const listKeys = async (
  store: Store,
  prefix: string,
  depth: Depth,
  expected?: readonly string[],
): Promise<readonly string[]> => (await listObjects(store, prefix, depth, expected)).map(({ key }) => key);

/**
 * What is below a prefix, sorted by key; folders have no version. Where most keys are known before, pages are asked for
 * side by side; what is expected decides only where they begin.
 */
export async function listObjects(
  store: Store,
  prefix: string,
  depth: Depth,
  expected: readonly string[] = [],
): Promise<readonly ListedObject[]> {
  checkPrefix(prefix);
  const parts = await eachLimited(rangesOf(expected), RANGES_AT_ONCE, (range) =>
    listRange(store, prefix, depth, range),
  );
  const objects = parts.every((part) => part !== undefined)
    ? parts.flat()
    : ((await listRange(store, prefix, depth, {})) ?? []);
  const found = new Map(objects.map((one) => [one.key, one]));
  return [...found.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** All keys below a prefix, a page at a time. */
export async function* pagesOfKeys(store: Store, prefix: string): AsyncGenerator<readonly string[], undefined> {
  checkPrefix(prefix);
  for (let token: string | undefined, isFirst = true; isFirst || token !== undefined; isFirst = false) {
    const { objects, next }: Page = await listPage(store, { prefix, depth: 'deep', after: undefined, token });
    token = next;
    yield objects.map(({ key }) => key);
  }
  return undefined;
}

/** Keys after the first one, up to the last one and with it; open where there is none. */
interface Range {
  readonly after?: string | undefined;
  readonly upTo?: string | undefined;
}

const RANGES_AT_ONCE = 16;
const KEYS_PER_PAGE = 1000;

/**
 * As many ranges as are listed at the same time, each of whole pages: together they cost no more pages than one listing
 * from end to end would, and at most one more each for what came since.
 */
function rangesOf(expected: readonly string[]): readonly Range[] {
  const pages = Math.ceil(expected.length / KEYS_PER_PAGE);
  const ranges = Math.min(pages, RANGES_AT_ONCE);
  const bounds = Array.from({ length: Math.max(0, ranges - 1) }, (_, index) => {
    const before = Math.round(((index + 1) * pages) / ranges);
    return expected[Math.ceil((before * expected.length) / pages) - 1];
  });
  return [undefined, ...bounds].map((after, index) => ({ after, upTo: bounds[index] }));
}

/** Undefined where the store begins somewhere else than it was asked to. */
async function listRange(
  store: Store,
  prefix: string,
  depth: Depth,
  { after, upTo }: Range,
): Promise<readonly ListedObject[] | undefined> {
  const found: ListedObject[] = [];
  for (let token: string | undefined, isFirst = true; isFirst || token !== undefined; isFirst = false) {
    const page = await listPage(store, { prefix, depth, after: isFirst ? after : undefined, token });
    const { objects } = page;
    if (after !== undefined && objects.some(({ key }) => key <= after)) return undefined;
    const last = objects.at(-1)?.key;
    const isEnd = upTo !== undefined && last !== undefined && last >= upTo;
    found.push(...(isEnd ? objects.filter(({ key }) => key <= upTo) : objects));
    token = isEnd ? undefined : page.next;
  }
  return found;
}
