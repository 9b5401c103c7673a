import { targetError } from '../../../errors.ts';
import { pathOfIndex } from '../artifact/index-header.ts';
import { deleteIndex } from '../restore/index-steps.ts';
import { mergeIndex, type MergeResult } from '../restore/merge.ts';
import type { WantedIndex } from '../restore/wanted.ts';
import type { Listing } from '../server/list-indices.ts';
import { newName } from '../server/own-names.ts';
import type { SearchServer } from '../server/server.ts';
import type { WantedStream } from './wanted.ts';

type Build = (index: WantedIndex) => Promise<WantedIndex>;

/** The places of a restore that some stream has already. */
export const standingStreams = (streams: readonly WantedStream[], { dataStreams }: Listing): ReadonlySet<string> =>
  new Set(streams.map(({ to }) => to).filter((to) => dataStreams.some(({ name }) => name === to)));

export const documentsIn = ({ indices }: WantedStream): number =>
  indices.reduce((sum, { documents }) => sum + documents, 0);

/** What has the name of a stream, or of a part of it, keeps that from being made. */
export function assertRoomForStreams(streams: readonly WantedStream[], { indices, aliases }: Listing): void {
  const hint = 'take it away, or restore under another name with --into rename=from=…,to=…';
  for (const { to, indices: parts } of streams) {
    if (aliases.has(to) || indices.some(({ name }) => name === to))
      throw targetError(`cannot restore data stream ${to}: ${aliases.has(to) ? 'an alias' : 'an index'} has its name`, {
        hint,
      });
    const taken = indices.find(({ name, dataStream }) => dataStream !== to && parts.some((part) => part.to === name));
    if (taken !== undefined)
      throw targetError(`cannot restore data stream ${to}: index ${taken.name} is there, and is no part of it`, {
        hint,
      });
  }
}

/**
 * Restores everything that a stream consists of beside, one after the other, and counts it: nothing that stands is touched
 * for what is not whole. Gives the stream with what is in it.
 */
export async function lookInside(wanted: WantedStream, build: Build, server: SearchServer): Promise<WantedStream> {
  const indices: WantedIndex[] = [];
  for (const index of wanted.indices) {
    indices.push(await build(index));
    await deleteIndex(server, newName(index.to));
  }
  return { ...wanted, indices };
}

/** Brings documents back that no index of a stream has any more; they go into its last one. */
export async function mergeStream(
  { to, indices }: WantedStream,
  build: Build,
  merging: Omit<Parameters<typeof mergeIndex>[1], 'stream'>,
  see: (result: MergeResult) => void,
): Promise<void> {
  const { server } = merging;
  await server.bytes({
    method: 'POST',
    path: `/${pathOfIndex(to)}/_refresh`,
    doing: `cannot refresh data stream ${to}`,
  });
  for (const index of indices) {
    see(await mergeIndex(await build(index), { ...merging, stream: to }));
    await deleteIndex(server, newName(index.to));
  }
}
