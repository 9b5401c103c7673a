import { Readable } from 'node:stream';
import { targetError } from '../../../errors.ts';
import type { IncomingArtifact } from '../../engine.ts';
import { closePoints, openPoint, type Point } from '../capture/points.ts';
import { readDocuments } from '../capture/read-documents.ts';
import { describeIndex, judgeSource } from '../capture/read-index.ts';
import { DOCUMENTS_FORMAT } from '../artifact/index-header.ts';
import type { Building } from '../restore/build.ts';
import { newName } from '../server/own-names.ts';
import type { WantedIndex } from '../restore/wanted.ts';

/** The documents of an index that was restored beside its place, as an export has them. Throws where it keeps none. */
export async function documentsBeside(
  wanted: WantedIndex,
  { server, context, atOnce }: Building,
): Promise<IncomingArtifact> {
  const index = newName(wanted.to);
  const described = await describeIndex(server, index);
  if (judgeSource(described).problems.length > 0)
    throw targetError(`cannot merge index ${wanted.name}: it keeps no _source`, {
      hint: '--mode replace brings it back, or --mode new under another name',
    });
  return {
    name: wanted.name,
    format: DOCUMENTS_FORMAT,
    rawBytes: null,
    async into(sink) {
      if (sink.kind !== 'reader') throw new Error('documents of a server go to code only');
      const points: Point[] = [];
      try {
        for (let shard = 0; shard < described.shards; shard += 1) points.push(await openPoint(server, index, shard));
        const monotonicMs = (): number => context.clock.monotonicMs();
        const request = { server, points, waiting: () => [], withVersion: false, atOnce, monotonicMs };
        await sink.read(Readable.from(readDocuments(request), { objectMode: false }));
      } finally {
        await closePoints(server, points);
      }
    },
  };
}
