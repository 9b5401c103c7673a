import { readFileSync } from 'node:fs';
import type { ClientOptions } from '@elastic/elasticsearch';
import { reasonOf, targetError } from '../../../errors.ts';
import type { TargetOf } from '../../engine.ts';
import { pinnedAuthority } from './pinned-authority.ts';

export type SearchTarget = TargetOf<'elasticsearch'>;

/** How people know the server. */
export const placeOfServer = ({ url, cloudId }: SearchTarget): string => url ?? cloudId?.split(':')[0] ?? 'the server';

/** How a target is reached, in the words of the client. Throws `target` where that cannot be said. */
export async function clientOptions(target: SearchTarget, signal: AbortSignal): Promise<ClientOptions> {
  const { url, cloudId, tlsCa, tlsFingerprint } = target;
  if ((url === undefined) === (cloudId === undefined))
    throw targetError('cannot connect: a target needs exactly one of `url` and `cloudId`');
  if (url !== undefined && !url.startsWith('https:') && (tlsCa ?? tlsFingerprint) !== undefined)
    throw targetError(`cannot connect to ${url}: \`tlsCa\` and \`tlsFingerprint\` need an address with https`);
  const ca = tlsCa === undefined ? [] : [readAuthorities(tlsCa)];
  if (url !== undefined && tlsFingerprint !== undefined) ca.push(await pinnedAuthority(url, tlsFingerprint, signal));
  return {
    ...(url === undefined ? {} : { node: url }),
    ...(cloudId === undefined ? {} : { cloud: { id: cloudId } }),
    ...authOf(target),
    ...(ca.length === 0 ? {} : { tls: { ca } }),
  };
}

function authOf({ username, password = '', apiKey, bearerToken }: SearchTarget): Pick<ClientOptions, 'auth'> {
  if (apiKey !== undefined) return { auth: { apiKey } };
  if (bearerToken !== undefined) return { auth: { bearer: bearerToken } };
  return username === undefined ? {} : { auth: { username, password } };
}

function readAuthorities(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw targetError(`cannot read ${path}: ${reasonOf(error)}`, { hint: 'correct `tlsCa`', cause: error });
  }
}
