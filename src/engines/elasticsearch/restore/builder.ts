import type { SnapshotPlace } from '../artifact/index-header.ts';
import { findSnapshot } from '../snapshot/find-snapshot.ts';
import { documentsBeside } from '../snapshot/read-beside.ts';
import { restoreBeside, type RestoreSource } from '../snapshot/restore-beside.ts';
import { buildBeside, type Building } from './build.ts';
import type { WantedIndex } from './wanted.ts';

/** Makes what a restore needs, beside the places where it shall stand. */
export interface Builder {
  /** Makes an index, and gives it with what is in it. */
  readonly whole: (wanted: WantedIndex) => Promise<WantedIndex>;
  /** Gives an index with documents that can be read. */
  readonly forMerge: (wanted: WantedIndex) => Promise<WantedIndex>;
  /** Where data streams and states of the cluster come from; null for an export. */
  readonly source: RestoreSource | null;
}

/** Builds from documents, or has the server build from its own snapshot. */
export async function openBuilder(place: SnapshotPlace | undefined, building: Building): Promise<Builder> {
  if (place === undefined)
    return {
      whole: async (wanted) => {
        await buildBeside(wanted, building);
        return wanted;
      },
      forMerge: async (wanted) => wanted,
      source: null,
    };
  const repository = await findSnapshot(building.server, place);
  const source: RestoreSource = { repository, name: place.name };
  const whole = (wanted: WantedIndex): Promise<WantedIndex> => restoreBeside(wanted, building, source);
  return {
    source,
    whole,
    forMerge: async (wanted) => {
      const there = await whole(wanted);
      return { ...there, artifact: await documentsBeside(there, building) };
    },
  };
}
