import type { Definition } from '../artifact/index-header.ts';
import { inOneLine } from '../json/one-line.ts';
import { fieldsOf, walkList, skipValue } from '../json/walk.ts';
import type { SearchServer } from '../server/server.ts';

/** A kind of definition that belongs to the cluster, in the order in which they need each other. */
interface Kind {
  readonly path: string;
  /** Path inside the answer; a list of `{name, <of>}`, or an object by names. */
  readonly list?: { readonly of: string; readonly under: string };
}

const KINDS: readonly Kind[] = [
  { path: '_scripts' },
  { path: '_ingest/pipeline' },
  { path: '_component_template', list: { under: 'component_templates', of: 'component_template' } },
  { path: '_index_template', list: { under: 'index_templates', of: 'index_template' } },
  { path: '_template' },
];

/** Templates, pipelines and stored scripts, but for those that the server or a plugin of it manages. */
export async function readGlobals(server: SearchServer): Promise<readonly Definition[]> {
  const all: Definition[] = [];
  for (const kind of KINDS) all.push(...(await readKind(server, kind)));
  return all;
}

async function readKind(server: SearchServer, kind: Kind): Promise<readonly Definition[]> {
  if (kind.path === '_scripts') return readScripts(server);
  const doing = `cannot read ${kind.path}`;
  const answer = await server.bytes({ method: 'GET', path: `/${kind.path}`, doing, expected: [404] });
  if (answer === null) return [];
  const found = kind.list === undefined ? fieldsOf(answer) : namedItems(answer, kind.list);
  return [...found]
    .filter(([name, body]) => isOfUser(name, body))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, body]) => ({ path: `${kind.path}/${encodeURIComponent(name)}`, body: inOneLine(body) }));
}

/** Scripts are part of the cluster's state only; nothing lists them. */
async function readScripts(server: SearchServer): Promise<readonly Definition[]> {
  const answer = await server.bytes({
    method: 'GET',
    path: '/_cluster/state/metadata',
    query: { filter_path: 'metadata.stored_scripts' },
    doing: 'cannot read the stored scripts',
  });
  const metadata = fieldsOf(answer ?? EMPTY).get('metadata') ?? EMPTY;
  const scripts = fieldsOf(fieldsOf(metadata).get('stored_scripts') ?? EMPTY);
  return [...scripts]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, body]) => ({
      path: `_scripts/${encodeURIComponent(name)}`,
      body: Buffer.concat([Buffer.from('{"script":'), inOneLine(body), Buffer.from('}')]),
    }));
}

function namedItems(answer: Buffer, { under, of }: NonNullable<Kind['list']>): ReadonlyMap<string, Buffer> {
  const items = new Map<string, Buffer>();
  const list = fieldsOf(answer).get(under) ?? Buffer.from('[]');
  walkList(list, 0, (at) => {
    const end = skipValue(list, at);
    const parts = fieldsOf(list.subarray(at, end));
    const body = parts.get(of);
    if (body !== undefined) items.set(JSON.parse(parts.get('name')?.toString() ?? '""') as string, body);
    return end;
  });
  return items;
}

/** What a server makes for itself says so, or has a name that begins with a dot. */
function isOfUser(name: string, body: Buffer): boolean {
  if (name.startsWith('.')) return false;
  const { _meta: meta } = JSON.parse(body.toString()) as { readonly _meta?: { readonly managed?: unknown } };
  return meta?.managed !== true;
}

const EMPTY = Buffer.from('{}');
