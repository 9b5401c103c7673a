import type { Context } from '../../../context.ts';
import { BkpError, integrityError, reasonOf, throwIfAborted } from '../../../errors.ts';
import type { SetAside } from '../../engine.ts';
import { pathOfIndex } from '../artifact/index-header.ts';
import { fieldsOf } from '../json/walk.ts';
import type { PlacedStreams } from '../streams/put-in-place.ts';
import { newName, oldName, UNFINISHED } from '../server/own-names.ts';
import type { SearchServer } from '../server/server.ts';
import { type Asked, changeSettings, cloneIndex, contentsOf, deleteIndex } from './index-steps.ts';
import { inPlace, leftovers, type Settings, withKnownSettings } from './settings.ts';
import type { WantedIndex } from './wanted.ts';

interface Swap {
  readonly server: SearchServer;
  readonly context: Context;
  readonly snapshot: string;
  /** Indices that stand where others shall. */
  readonly existing: ReadonlySet<string>;
  readonly warn: (message: string) => void;
  /** What cannot be undone is done when all are in place, before that counts. */
  readonly lastly: () => Promise<PlacedStreams>;
}

type Undo = () => Promise<void>;

const NO_ALIASES: ReadonlyMap<string, Buffer> = new Map();
const MARK = Buffer.from('{"is_hidden":true}');

/**
 * Puts what was built into its place. The old index is linked under another name before it goes; until all are in place
 * each carries the alias of what is unfinished. On failure or abort what stood there stands there again.
 */
export async function swapIn(indices: readonly WantedIndex[], swap: Swap): Promise<readonly SetAside[]> {
  const { server, context, warn } = swap;
  const undo: Undo[] = [];
  const kept: SetAside[] = [];
  let streams: PlacedStreams | undefined;
  try {
    for (const wanted of indices) {
      throwIfAborted(context.signal);
      if (swap.existing.has(wanted.to)) kept.push(await setAside(wanted.to, swap, undo));
      undo.push(() => deleteIndex(server.afterwards, wanted.to));
      const aliases = new Map([...wanted.aliases, [UNFINISHED, MARK]]);
      await withKnownSettings(
        inPlace(wanted.settings),
        (settings) => cloneIndex(server, newName(wanted.to), wanted.to, { settings, aliases }),
        (setting) => warn(`index ${wanted.to}: setting ${setting} does not carry over to this server`),
      );
      await changeSettings(server, wanted.to, leftovers(wanted.settings));
      const { documents } = await contentsOf(server, wanted.to);
      if (documents !== wanted.documents)
        throw integrityError(
          `cannot restore index ${wanted.to}: ${documents} of ${wanted.documents} documents are there`,
        );
    }
    throwIfAborted(context.signal);
    streams = await swap.lastly();
    await commit(server, indices);
    return [...kept, ...streams.kept];
  } catch (failure) {
    const error = streams === undefined ? failure : await streams.takeBack(failure);
    await undoAll(undo, error);
    throw error;
  }
}

/** The one moment from which on the restore is done. */
async function commit(server: SearchServer, indices: readonly WantedIndex[]): Promise<void> {
  if (indices.length === 0) return;
  const actions = indices.map(({ to }) => ({ remove: { index: to, alias: UNFINISHED } }));
  await server.bytes({
    method: 'POST',
    path: '/_aliases',
    body: JSON.stringify({ actions }),
    doing: 'cannot finish the restore',
    isFinished: true,
  });
}

async function setAside(name: string, { server, snapshot }: Swap, undo: Undo[]): Promise<SetAside> {
  const { aliases, settings } = await readIndex(server, name);
  const aside = await freeName(server, name, snapshot);
  // A clone takes over all other settings.
  const copies = { 'index.number_of_replicas': settings['index.number_of_replicas'] ?? '1' };
  const before = inPlace({ ...settings, ...copies });
  undo.push(async () => {
    if (!(await isThere(server.afterwards, name)))
      await cloneIndex(server.afterwards, aside, name, { settings: before, aliases });
    await changeSettings(server.afterwards, name, leftovers(settings));
    await deleteIndex(server.afterwards, aside);
  });
  await cloneIndex(server, name, aside, { settings: { ...copies, 'index.hidden': 'true' }, aliases: NO_ALIASES });
  await deleteIndex(server, name);
  return { type: 'elasticsearch', reference: aside };
}

/** The aliases and settings of an index. */
export async function readIndex(
  server: Asked,
  name: string,
): Promise<{ readonly aliases: ReadonlyMap<string, Buffer>; readonly settings: Settings }> {
  const answer = await server.bytes({
    method: 'GET',
    path: `/${pathOfIndex(name)}`,
    query: { flat_settings: true },
    doing: `cannot read the definition of index ${name}`,
  });
  const [index] = fieldsOf(answer ?? EMPTY).values();
  const parts = fieldsOf(index ?? EMPTY);
  return {
    aliases: fieldsOf(parts.get('aliases') ?? EMPTY),
    settings: JSON.parse((parts.get('settings') ?? EMPTY).toString()) as Settings,
  };
}

/** A name under which nothing is kept yet. */
export async function freeName(server: SearchServer, index: string, snapshot: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const name = oldName(index, snapshot, number);
    if (!(await isThere(server, name))) return name;
  }
}

/** True while something has a name. */
export const isThere = async (server: Asked, name: string): Promise<boolean> =>
  (await server.bytes({
    method: 'GET',
    path: `/${pathOfIndex(name)}/_settings`,
    doing: `cannot look for index ${name}`,
    expected: [404],
  })) !== null;

/** Takes back what was done, the last first. Where that fails too, the error says so. */
async function undoAll(undo: readonly Undo[], error: unknown): Promise<void> {
  for (const step of undo.toReversed()) {
    try {
      await step();
    } catch (failure) {
      const reason = `${reasonOf(error)}; nor could all be put back: ${reasonOf(failure)}`;
      throw new BkpError(error instanceof BkpError ? error.code : 'target', reason, {
        hint:
          error instanceof BkpError && error.hint?.includes('bkp_old_') === true
            ? error.hint
            : 'indices that were replaced are under names that begin with bkp_old_; the next restore goes on from there',
        cause: error,
      });
    }
  }
}

const EMPTY = Buffer.from('{}');
