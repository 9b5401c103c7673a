import { finished } from 'node:stream/promises';
import type { Context } from '../context.ts';
import { throwIfAborted } from '../errors.ts';
import type { ByteSink } from './bytes.ts';
import { decodeToNode, type DecodeFlow } from './decode-flow.ts';
import type { Decoder } from './decoder.ts';
import { feedProcess } from './feed-process.ts';
import { createStages, isConsequence, type Stages } from './stages.ts';
import type { StoredInput } from './stored-input.ts';
import { writeNewFile } from './write-new-file.ts';

export interface Incoming {
  /** What it is called in messages. */
  readonly key: string;
  readonly storedBytes: number;
  /** Null where nobody knows. */
  readonly rawBytes: number | null;
  /** What the stored bytes must hash to while they are read; null where that is not asked. */
  readonly storedSha256: string | null;
  chooseDecoder(): Decoder;
  open(): Promise<StoredInput>;
}

/** Decodes stored bytes into a sink. When it fails or is stopped, nothing runs any more and no half file is left. */
export async function decodeInto(sink: ByteSink, incoming: Incoming, context: Context): Promise<void> {
  throwIfAborted(context.signal);
  const { key, storedBytes, rawBytes, storedSha256 } = incoming;
  const decoder = incoming.chooseDecoder();
  const input = await incoming.open();
  const stopping = new AbortController();
  const parts: Stages[] = [];
  try {
    await moveInto(sink, {
      key,
      input,
      decoder,
      storedBytes,
      rawBytes,
      storedSha256,
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
