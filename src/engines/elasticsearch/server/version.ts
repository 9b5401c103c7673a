import { targetError } from '../../../errors.ts';

/** What a server is, as far as requests differ. */
export interface ServerVersion {
  readonly product: 'elasticsearch' | 'opensearch';
  readonly number: string;
  readonly major: number;
  readonly minor: number;
}

/** The oldest versions that hold a point in time. */
const OLDEST = { elasticsearch: [7, 10], opensearch: [2, 4] } as const;
const PRODUCT_NAMES = { elasticsearch: 'Elasticsearch', opensearch: 'OpenSearch' } as const;

/** Reads the answer to `GET /`. Throws `target` for a version that is too old, and for what is no such server. */
export function readVersion(answer: unknown, place: string): ServerVersion {
  const { version } = (answer ?? {}) as {
    readonly version?: { readonly number?: string; readonly distribution?: string };
  };
  const number = version?.number ?? '';
  const found = /^(\d+)\.(\d+)/.exec(number);
  if (found === null)
    throw targetError(`cannot use ${place}: it answers, but is neither Elasticsearch nor OpenSearch`, {
      hint: 'correct `url`',
    });
  const product = version?.distribution === 'opensearch' ? 'opensearch' : 'elasticsearch';
  const [major, minor] = [Number(found[1]), Number(found[2])];
  const [oldestMajor, oldestMinor] = OLDEST[product];
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor))
    throw targetError(`cannot use ${place}: ${PRODUCT_NAMES[product]} ${number} holds no point in time`, {
      hint: `${PRODUCT_NAMES[product]} ${oldestMajor}.${oldestMinor} and newer do`,
    });
  return { product, number, major, minor };
}

export const describeVersion = ({ product, number }: ServerVersion): string => `${PRODUCT_NAMES[product]} ${number}`;

/** True where what one server calls something means the same for the other. */
export const isSameMajor = (
  a: Pick<ServerVersion, 'product' | 'major'>,
  b: Pick<ServerVersion, 'product' | 'major'>,
): boolean => a.product === b.product && a.major === b.major;
