import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { connectionOf } from '../../services/connection.ts';
import { ask, askJson, bulk } from '../elasticsearch/ask.ts';
import { type OwnIndices, ownIndicesAt, type Target } from '../elasticsearch/own-indices.ts';
import { asSuperuser, makeUser, type Role, securely, setRole } from './users.ts';

/** Two indices of one test on a server with users, and one of those; `url` is where a superuser asks it. */
export interface SecuredIndices extends OwnIndices {
  /** The target as the user reaches it. */
  readonly asUser: (method: 'export' | 'snapshot') => Target;
  readonly user: string;
  readonly may: (role: Role) => Promise<unknown>;
  readonly fill: () => Promise<void>;
  readonly names: () => Promise<readonly string[]>;
}

export async function securedIndices(service: string): Promise<SecuredIndices> {
  const url = await asSuperuser(service);
  const own = await ownIndicesAt(url);
  const { prefix, target } = own;
  const user = prefix.slice(0, -1);
  const keys = await makeUser(url, user, { cluster: [], indices: [] });
  const { repo = '' } = connectionOf(service);
  onTestFinished(async () => void (await ask(url, 'DELETE', `_snapshot/${user}`)));
  await askJson(url, 'PUT', `_snapshot/${user}`, { type: 'fs', settings: { location: join(repo, user) } });
  const fill = async (): Promise<void> => {
    for (const name of ['a', 'b'])
      await bulk(url, `${prefix}${name}`, ['{"index":{"_id":"1"}}\n{"n":1}', '{"index":{"_id":"2"}}\n{"n":2}']);
  };
  await fill();
  // Which no role of a test names.
  await askJson(url, 'PUT', `${prefix}a/_alias/alias-${prefix}`, {});
  return {
    ...own,
    user,
    fill,
    may: (role) => setRole(url, user, role),
    asUser: (method) => ({
      ...target,
      ...securely(service),
      ...keys,
      method,
      ...(method === 'snapshot' ? { snapshotRepository: { name: user } } : {}),
    }),
    async names() {
      const answer = await askJson(url, 'GET', `_cat/indices/*${prefix}*?format=json&h=index&expand_wildcards=all`);
      return (answer as readonly { readonly index: string }[]).map(({ index }) => index).toSorted();
    },
  };
}
