import { integrityError, targetError } from '../../../errors.ts';
import { pathOfIndex } from '../artifact/index-header.ts';
import { digestJson } from '../json/canonical.ts';
import { fieldsOf } from '../json/walk.ts';
import type { SearchServer } from '../server/server.ts';
import type { Settings } from './settings.ts';

/** Longer than most proxies wait for an answer is what no single request takes. */
const PATIENCE = '30s';
const MOST_ROUNDS = 4;

/** The parts of a server that a step needs: that of a restore under way, or that of its undoing. */
export type Asked = Pick<SearchServer, 'bytes' | 'json'>;

export async function deleteIndex(server: Asked, name: string): Promise<void> {
  await server.bytes({
    method: 'DELETE',
    path: `/${pathOfIndex(name)}`,
    doing: `cannot delete index ${name}`,
    expected: [404],
    isFinished: true,
  });
}

export async function closeIndex(server: Asked, name: string): Promise<void> {
  await server.bytes({
    method: 'POST',
    path: `/${pathOfIndex(name)}/_close`,
    doing: `cannot close index ${name}, which is restored`,
    isFinished: true,
  });
}

export async function createIndex(server: Asked, name: string, settings: Settings, mappings: Buffer): Promise<void> {
  const body = Buffer.concat([
    Buffer.from(`{"settings":${JSON.stringify(settings)},"mappings":`),
    mappings,
    Buffer.from('}'),
  ]);
  await server.bytes({
    method: 'PUT',
    path: `/${pathOfIndex(name)}`,
    body,
    doing: `cannot make index ${name}`,
    isFinished: true,
    repeatable: false,
  });
  await waitUntilThere(server, name);
}

/** Makes a second index of the same documents, which the server links instead of copying. The first takes no writes then. */
export async function cloneIndex(
  server: Asked,
  from: string,
  to: string,
  { settings, aliases }: { readonly settings: Settings; readonly aliases: ReadonlyMap<string, Buffer> },
): Promise<void> {
  const doing = `cannot make index ${to} from ${from}`;
  await server.bytes({ method: 'PUT', path: `/${pathOfIndex(from)}/_block/write`, doing, isFinished: true });
  const names = [...aliases].map(([name, value]) => `${JSON.stringify(name)}:${value.toString()}`);
  await server.bytes({
    method: 'PUT',
    path: `/${pathOfIndex(from)}/_clone/${pathOfIndex(to)}`,
    query: { wait_for_active_shards: 1, timeout: PATIENCE },
    body: `{"settings":${JSON.stringify(settings)},"aliases":{${names.join(',')}}}`,
    doing,
    isFinished: true,
    repeatable: false,
  });
  await waitUntilThere(server, to);
}

/** Waits until every primary shard is there. */
async function waitUntilThere(server: Asked, name: string): Promise<void> {
  for (let round = 1; round <= MOST_ROUNDS; round += 1) {
    const answer = await server.bytes({
      method: 'GET',
      path: `/_cluster/health/${pathOfIndex(name)}`,
      query: { wait_for_status: 'yellow', timeout: PATIENCE },
      doing: `cannot wait for index ${name}`,
      expected: [408],
    });
    if (answer !== null) return;
  }
  throw targetError(`cannot use index ${name}: not every shard is there after ${MOST_ROUNDS} times ${PATIENCE}`, {
    hint: 'ask the server why: GET _cluster/allocation/explain',
  });
}

export async function changeSettings(server: Asked, name: string, settings: Settings): Promise<void> {
  await server.bytes({
    method: 'PUT',
    path: `/${pathOfIndex(name)}/_settings`,
    body: JSON.stringify(settings),
    doing: `cannot change the settings of index ${name}`,
    isFinished: true,
  });
}

/** What an index holds now: its documents, counted after a refresh, and a digest of its mappings. */
export async function contentsOf(
  server: Asked,
  name: string,
): Promise<{ readonly documents: number; readonly mappings: string }> {
  const doing = `cannot count the documents of index ${name}`;
  await server.bytes({ method: 'POST', path: `/${pathOfIndex(name)}/_refresh`, doing });
  const { count, _shards: shards } = (await server.json({
    method: 'GET',
    path: `/${pathOfIndex(name)}/_count`,
    doing,
  })) as { readonly count: number; readonly _shards: { readonly failed: number } };
  if (shards.failed !== 0) throw integrityError(`${doing}: not every shard answered`);
  const answer = await server.bytes({ method: 'GET', path: `/${pathOfIndex(name)}/_mapping`, doing });
  const [index] = fieldsOf(answer ?? Buffer.from('{}')).values();
  return { documents: count, mappings: digestJson(fieldsOf(index ?? Buffer.from('{}')).get('mappings') ?? '{}') };
}
