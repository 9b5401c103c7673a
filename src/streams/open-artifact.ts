import { finished } from 'node:stream/promises';
import type { Context } from '../context.ts';
import { throwIfAborted } from '../errors.ts';
import type { IncomingArtifact } from '../engines/engine.ts';
import type { Repository } from '../repositories/repository.ts';
import type { ManifestArtifact } from '../snapshots/manifest.ts';
import type { ByteSink } from './bytes.ts';
import { decodeToNode, type DecodeFlow } from './decode-flow.ts';
import { chooseDecoder } from './decoder.ts';
import { feedProcess } from './feed-process.ts';
import { createStages, isConsequence, type Stages } from './stages.ts';
import { openStored } from './stored-input.ts';
import { writeNewFile } from './write-new-file.ts';

/**
 * A stored artifact as engines see it. Its stored bytes are to be verified first (`verifyStored`): a decoder hands out
 * bytes before it notices damage.
 */
export function openArtifact(
  artifact: ManifestArtifact,
  place: { readonly repository: Repository; readonly key: string },
  context: Context,
): IncomingArtifact {
  return {
    name: artifact.name,
    format: artifact.format,
    rawBytes: artifact.rawBytes,
    async into(sink) {
      throwIfAborted(context.signal);
      const input = await openStored(place.repository, place.key, artifact.storedBytes);
      const stopping = new AbortController();
      const parts: Stages[] = [];
      try {
        await moveInto(sink, {
          key: place.key,
          input,
          decoder: chooseDecoder(artifact.compression, context),
          storedBytes: artifact.storedBytes,
          rawBytes: artifact.rawBytes,
          context: context.withSignal(stopping.signal),
          addStages: () => {
            const stages = createStages(() => stopping.abort());
            parts.push(stages);
            return stages;
          },
          stop: () => stopping.abort(),
        });
      } catch (error) {
        stopping.abort();
        await Promise.all(parts.map((stages) => stages.ended()));
        throwIfAborted(context.signal);
        throw isConsequence(error) ? (parts.map((stages) => stages.cause()).find(Boolean) ?? error) : error;
      } finally {
        stopping.abort();
        await input.close();
      }
      throwIfAborted(context.signal);
    },
  };
}

async function moveInto(sink: ByteSink, flow: DecodeFlow): Promise<void> {
  switch (sink.kind) {
    case 'file':
      return writeNewFile(sink.path, flow);
    case 'process':
      return feedProcess(sink, flow);
    case 'reader': {
      const raw = await decodeToNode(flow);
      const ended = finished(raw, { writable: false });
      ended.catch(() => undefined);
      try {
        await sink.read(raw);
        raw.resume();
      } catch (error) {
        // What broke the stream says more than what its reader made of it; a loop that is left by an error aborts it.
        if (raw.errored !== null && raw.errored.name !== 'AbortError') throw raw.errored;
        raw.destroy();
        throw error;
      }
      return ended;
    }
  }
}
