import type { RawReader } from '../../engine.ts';
import { type BlockCounts, type BlockReader, createBlockReader } from './blocks.ts';
import { cutArchive, damagedArchive } from './errors.ts';
import { type ArchiveHeader, readHeader } from './header.ts';
import { type ArchiveEntry, readRepeatedToc, readToc } from './toc.ts';
import { archiveFacts } from './dump-facts.ts';
import { createFeed, type Feed, measured, type Reading } from './feed.ts';

/** What stands before the data. */
export interface ArchiveStart {
  readonly header: ArchiveHeader;
  readonly entries: readonly ArchiveEntry[];
}

/** What an archive turned out to hold. */
export interface CustomArchive extends ArchiveStart, BlockCounts, Pick<BlockReader, 'positions'> {
  /** Where the table of contents begins. */
  readonly tocAt: number;
}

/** Takes an uncompressed archive of the custom format piece by piece. */
export interface CustomArchiveReader {
  push(chunk: Buffer): void;
  /** Header and table of contents, as soon as they have passed. */
  start(): ArchiveStart | undefined;
  /** Throws `integrity` unless the archive was whole. */
  end(): CustomArchive;
}

/** Memory is that of the table of contents, whatever the size of the data. */
export function createCustomArchiveReader(): CustomArchiveReader {
  const feed = createFeed(readStart());
  let blocks: BlockReader | null = null;
  let rest: Feed<true> | null = null;
  let position = 0;

  const pushRest = (chunk: Buffer, { header, entries }: ArchiveStart, { positions }: BlockReader): void => {
    if (chunk.length === 0) return;
    rest ??= createFeed(readRepeatedToc(header, entries, positions));
    if (rest.push(chunk) < chunk.length) throw damagedArchive('something follows its data');
  };

  return {
    push(chunk) {
      let taken = blocks === null ? feed.push(chunk) : 0;
      const start = feed.outcome();
      if (start !== undefined) {
        blocks ??= createBlockReader(start.entries);
        taken += blocks.push(chunk.subarray(taken), position + taken);
        pushRest(chunk.subarray(taken), start, blocks);
      }
      position += chunk.length;
    },
    start: () => feed.outcome(),
    end() {
      const start = feed.outcome();
      if (start === undefined || blocks === null) throw cutArchive('before the end of its table of contents');
      const counts = blocks.end();
      if (rest !== null && rest.outcome() === undefined) throw cutArchive('in what follows its data');
      return { ...start, ...counts, positions: blocks.positions };
    },
  };
}

/** Sees a dump in the custom format while it is stored; its facts go into the manifest. */
export function openCustomInspector(): RawReader {
  const reader = createCustomArchiveReader();
  return {
    push: (chunk) => reader.push(chunk),
    end: () => archiveFacts(reader.end()),
  };
}

function* readStart(): Reading<ArchiveStart & Pick<CustomArchive, 'tocAt'>> {
  const { outcome: header, bytes: tocAt } = yield* measured(readHeader('custom'));
  return { header, tocAt, entries: yield* readToc(header, 'custom') };
}
