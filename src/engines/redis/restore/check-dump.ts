import type { Context } from '../../../context.ts';
import type { CheckResult, IncomingArtifact } from '../../engine.ts';
import { openDumpInspector } from '../rdb/dump-facts.ts';
import { dumpOf } from './dump-of.ts';

/** Reads a stored dump to its end. */
export async function checkDump(artifacts: readonly IncomingArtifact[], _context: Context): Promise<CheckResult> {
  const inspector = openDumpInspector();
  await dumpOf(artifacts).into({
    kind: 'reader',
    async read(raw) {
      for await (const chunk of raw as AsyncIterable<Buffer>) inspector.push(chunk);
    },
  });
  return { facts: inspector.end() };
}
