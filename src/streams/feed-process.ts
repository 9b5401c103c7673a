import { pipeline } from 'node:stream/promises';
import { BkpError, toolError } from '../errors.ts';
import type { ByteSink } from './bytes.ts';
import { decodeToNode, type DecodeFlow, startDecoder } from './decode-flow.ts';
import { judgeEnd, markConsequence } from './stages.ts';

/** Decodes into a program's stdin: over an OS pipe where programs decode, from the open file where nothing does. */
export async function feedProcess(sink: Extract<ByteSink, { kind: 'process' }>, flow: DecodeFlow): Promise<void> {
  const { decoder, input, context } = flow;
  const stages = flow.addStages();
  const { programs, transform, decryption } = decoder;
  const isPlain = programs.length === 0 && transform === undefined && decryption === undefined;
  const isDirect = isPlain && input.kind === 'file' && flow.storedSha256 === null;
  const consumer = context.start(sink.process, { stdin: isDirect ? input.handle.fd : 'pipe', stdout: 'ignore' });
  stages.add(consumer.closed.then((end) => judgeEnd(sink.process, end, { verb: 'restore', judge: sink.judge })));
  if (consumer.stdin !== null && programs.length > 0 && transform === undefined) {
    try {
      await startDecoder(flow, consumer.stdin, stages);
    } finally {
      // Our copy of the write end must go, or the consumer never sees the end.
      consumer.stdin.destroy();
    }
  } else if (consumer.stdin !== null) {
    const raw = await decodeToNode(flow);
    stages.add(
      pipeline(raw, consumer.stdin).catch((error: unknown) => {
        if (raw.errored instanceof BkpError) throw raw.errored;
        // When the consumer went away, its exit code tells why.
        throw markConsequence(
          toolError(`cannot restore with ${sink.process.argv[0]}: it stopped reading early`, { cause: error }),
        );
      }),
    );
  }
  await stages.finished();
}
