import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { makePlace, type Place } from '../../cli/run-bkp.ts';
import { connectionOf } from '../../services/connection.ts';
import { ask, askJson, bulk, deleteIndices } from './ask.ts';

/** A place with a policy whose backup leaves snapshots with a server, and two indices there. */
export interface Shop extends Place {
  readonly url: string;
  /** What every index begins with, and the name of the server's repository. */
  readonly prefix: string;
  /** Writes the policy; `server` is where bkp reaches the server. */
  policy(change?: {
    readonly server?: string;
    readonly repositories?: string;
    readonly checks?: string;
  }): Promise<void>;
  ids(): Promise<readonly string[]>;
  /** Snapshots that the server has. */
  onServer(): Promise<readonly string[]>;
  ask(method: string, path: string, body?: unknown): Promise<unknown>;
}

export async function openShop(service: string): Promise<Shop> {
  const { url = '', repo = '' } = connectionOf(service);
  const place = await makePlace();
  onTestFinished(() => place.remove());
  const prefix = `s${createHash('sha256').update(place.folder).digest('hex').slice(0, 10)}`;
  onTestFinished(async () => {
    await deleteIndices(url, prefix);
    await ask(url, 'DELETE', `_snapshot/${prefix}`).catch(() => '');
  });
  await askJson(url, 'PUT', `${prefix}_orders`, {
    settings: { number_of_shards: 2, number_of_replicas: 0 },
    aliases: { [`${prefix}_all`]: {} },
  });
  await askJson(url, 'PUT', `${prefix}_people`, { settings: { number_of_replicas: 0 } });
  await bulk(
    url,
    `${prefix}_orders`,
    Array.from({ length: 50 }, (_, n) => `{"index":{"_id":"${n}"}}\n{"n":${n},"big":9007199254740993,"one":1.0}`),
  );
  await bulk(url, `${prefix}_people`, ['{"index":{"_id":"ann"}}\n{"name":"ann"}']);
  const shop: Shop = {
    ...place,
    url,
    prefix,
    policy: ({ server = url, repositories = 'near, far', checks } = {}) =>
      writeFile(
        place.path('bkp.yaml'),
        `version: 1
name: shop
repositories:
  near: { type: directory, path: near }
  far: { type: directory, path: far }
targets:
  search:
    type: elasticsearch
    url: ${server}
    indices: ["${prefix}_*"]
    method: snapshot
    snapshotRepository: { name: ${prefix}, type: fs, settings: { location: ${join(repo, prefix)} } }
    globals: false
backups:
  shop:
    targets: [search]
    repositories: [${repositories}]
    retention: { keepLast: 2 }
${checks === undefined ? '' : `    checks: { search: [${checks}] }\n`}`,
      ),
    async ids() {
      const { stdout } = await place.bkp('list --format json');
      const { snapshots } = JSON.parse(stdout) as { readonly snapshots: readonly { readonly id: string }[] };
      return [...new Set(snapshots.map(({ id }) => id))];
    },
    async onServer() {
      const answer = (await askJson(url, 'GET', `_snapshot/${prefix}/_all`)) as {
        readonly snapshots: readonly { readonly snapshot: string }[];
      };
      return answer.snapshots.map(({ snapshot }) => snapshot).toSorted();
    },
    ask: (method, path, body) => askJson(url, method, path, body),
  };
  await shop.policy();
  return shop;
}
