import { readGlobals } from '../capture/read-globals.ts';
import { digestJson } from '../json/canonical.ts';
import { portableForm } from '../restore/globals.ts';
import type { SearchServer } from '../server/server.ts';

/** What of the global state can be read, by its name: settings, templates, pipelines, scripts. */
export type ClusterState = ReadonlyMap<string, string>;

export async function readClusterState(server: SearchServer): Promise<ClusterState> {
  const { persistent = {} } = (await server.json({
    method: 'GET',
    path: '/_cluster/settings',
    query: { flat_settings: true, filter_path: 'persistent' },
    doing: 'cannot read the settings of the cluster',
  })) as { readonly persistent?: Readonly<Record<string, unknown>> };
  const settings = Object.entries(persistent).map(
    ([name, value]) => [`setting ${name}`, JSON.stringify(value)] as const,
  );
  const globals = (await readGlobals(server)).map(
    ({ path, body }) => [decodeURIComponent(path), digestJson(portableForm(body))] as const,
  );
  return new Map([...settings, ...globals]);
}

/** What a replacement did, one sentence each. */
export function differences(before: ClusterState, after: ClusterState): readonly string[] {
  const gone = [...before.keys()].filter((name) => !after.has(name)).map((name) => `${name} is gone`);
  const other = [...after].flatMap(([name, value]) => {
    const old = before.get(name);
    if (old === value) return [];
    return [old === undefined ? `${name} came back` : `${name} is another now`];
  });
  return [...gone, ...other];
}
