import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { connectionOf } from '../../services/connection.ts';
import { ask, askJson, bulk } from './ask.ts';
import { type OwnIndices, ownIndices, type Target } from './own-indices.ts';

export const SERVICE = 'opensearch-2.19.6';
export const ORIGIN = {
  policy: 'p',
  backup: 'b',
  snapshot: '20261119T020000Z-aaaaaaaa',
  target: 't',
  run: 'r',
} as const;

/** Indices of one test whose target has the server take snapshots, into a repository of its own. */
export interface OwnSnapshots extends OwnIndices {
  readonly byServer: Target;
  /** Names of the snapshots that the server has there. */
  readonly left: () => Promise<readonly string[]>;
}

export async function ownSnapshots(
  service: string = SERVICE,
  settings: Readonly<Record<string, string>> = {},
): Promise<OwnSnapshots> {
  const own = await ownIndices(service);
  const { url, prefix, target } = own;
  const { repo = '' } = connectionOf(service);
  const name = prefix.slice(0, -1);
  const location = join(repo, name);
  onTestFinished(async () => void (await ask(url, 'DELETE', `_snapshot/${name}`).catch(() => '')));
  await askJson(url, 'PUT', `_snapshot/${name}`, { type: 'fs', settings: { location, ...settings } });
  await askJson(url, 'PUT', `${prefix}a`, { settings: { number_of_replicas: 0 } });
  await bulk(url, `${prefix}a`, ['{"index":{"_id":"1"}}\n{"n":1}', '{"index":{"_id":"2"}}\n{"n":2}']);
  return {
    ...own,
    byServer: { ...target, method: 'snapshot', snapshotRepository: { name } },
    async left() {
      const { snapshots } = (await askJson(url, 'GET', `_snapshot/${name}/_all`)) as {
        readonly snapshots: readonly { readonly snapshot: string }[];
      };
      return snapshots.map(({ snapshot }) => snapshot);
    },
  };
}
