import { reasonOf, targetError } from '../../../errors.ts';
import type { SetAside } from '../../engine.ts';
import { pathOfIndex } from '../artifact/index-header.ts';
import { type Asked, changeSettings, cloneIndex, contentsOf, deleteIndex } from '../restore/index-steps.ts';
import type { Settings } from '../restore/settings.ts';
import { freeName, readIndex } from '../restore/swap.ts';
import { listIndices } from '../server/list-indices.ts';
import type { SearchServer } from '../server/server.ts';
import { rollOver } from './roll-over.ts';

const MOST_ROLLOVERS = 5;
const BLOCK = 'index.blocks.write';

/** A data stream that takes no writes any more, and a second index for everything that it holds. */
export interface AsideStream {
  readonly kept: readonly SetAside[];
  /** What it consists of: no other stream has these. */
  readonly indices: readonly string[];
  /** Takes the second ones away, and lets it take writes again. */
  readonly undo: () => Promise<void>;
}

/** A server that lists streams by themselves deletes them, too; builds without that part answer that they know no such request. */
export async function assertReplaceable(server: SearchServer, stream: string): Promise<void> {
  const path = `/_data_stream/${pathOfIndex(stream)}`;
  const doing = `cannot look at data stream ${stream}`;
  if ((await server.bytes({ method: 'GET', path, doing, expected: [400, 405] })) !== null) return;
  throw targetError(`cannot replace data stream ${stream}: this server has no request that deletes one`, {
    hint: '`--mode merge` adds what is missing; `--into rename=from=…,to=…` restores it beside',
  });
}

export async function deleteStream(server: Asked, stream: string): Promise<void> {
  await server.bytes({
    method: 'DELETE',
    path: `/_data_stream/${pathOfIndex(stream)}`,
    doing: `cannot delete data stream ${stream}`,
    expected: [404],
    isFinished: true,
  });
}

/**
 * Links every index of a stream under another name, where it stays when the stream goes. Its last index cannot be linked:
 * the stream gets a new one, which stays empty.
 */
export async function setStreamAside(server: SearchServer, stream: string, snapshot: string): Promise<AsideStream> {
  const blocked: string[] = [];
  const kept: SetAside[] = [];
  const undo = async (): Promise<void> => {
    for (const { reference } of kept) await deleteIndex(server.afterwards, reference);
    for (const name of blocked) await changeSettings(server.afterwards, name, { [BLOCK]: null });
  };
  const block = async (name: string): Promise<Settings> => {
    const { settings } = await readIndex(server, name);
    if (settings[BLOCK] !== 'true') {
      blocked.push(name);
      await changeSettings(server, name, { [BLOCK]: 'true' });
    }
    return settings;
  };
  try {
    const full = await blockAll(server, stream, block);
    for (const [name, settings] of full) {
      const aside = await freeName(server, name, snapshot);
      kept.push({ type: 'elasticsearch', reference: aside });
      const copies = { 'index.number_of_replicas': settings['index.number_of_replicas'] ?? '1' };
      await cloneIndex(server, name, aside, { settings: { ...copies, 'index.hidden': 'true' }, aliases: new Map() });
      // Its policy would go on with it, and delete it one day.
      if (typeof settings['index.lifecycle.name'] === 'string')
        await changeSettings(server, aside, { 'index.lifecycle.name': null });
    }
    return { kept, indices: [...full.keys()], undo };
  } catch (error) {
    await undo().catch((failure: unknown) => {
      throw targetError(`${reasonOf(error)}; nor could it be undone: ${reasonOf(failure)}`, {
        hint: `data stream ${stream} may take no writes: PUT /${stream}/_settings {"${BLOCK}":null}`,
        cause: error,
      });
    });
    throw error;
  }
}

/** Stops writes to a stream, and gives what it consists of but for its last index, which is empty. */
async function blockAll(
  server: SearchServer,
  stream: string,
  block: (name: string) => Promise<Settings>,
): Promise<ReadonlyMap<string, Settings>> {
  const full = new Map<string, Settings>();
  for (let rollovers = 0; ; rollovers += 1) {
    const { dataStreams } = await listIndices(server);
    const names = dataStreams.find(({ name }) => name === stream)?.indices ?? [];
    const last = names.at(-1);
    if (last === undefined) throw targetError(`cannot replace data stream ${stream}: it is not there any more`);
    for (const name of names) if (!full.has(name)) full.set(name, await block(name));
    if ((await contentsOf(server, last)).documents === 0) {
      full.delete(last);
      return full;
    }
    if (rollovers === MOST_ROLLOVERS)
      throw targetError(`cannot replace data stream ${stream}: it is written to all the time`, {
        hint: 'stop what writes into it',
      });
    await rollOver(server, stream, `cannot replace data stream ${stream}`);
  }
}
