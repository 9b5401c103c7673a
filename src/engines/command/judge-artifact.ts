import type { Readable } from 'node:stream';
import type { Context } from '../../context.ts';
import type { Facts, PacedReader } from '../engine.ts';
import { watchForEndMark } from './end-mark.ts';
import { startFed, type FedProgram } from './fed-program.ts';
import { type CommandTarget, programOf } from './programs.ts';
import { readFacts } from './read-facts.ts';

/** What is known of a target: all of it, or only what says what is captured. */
export type KnownTarget = Partial<CommandTarget>;

/** The programs that judge an artifact, side by side, and its end mark. */
export interface Judges extends PacedReader {
  /** Ends what still runs. */
  close(): Promise<void>;
}

export function startJudges(target: KnownTarget, context: Context): Judges {
  const programs: FedProgram[] = [];
  const start = (key: 'check' | 'facts'): FedProgram | undefined => {
    const process = programOf(target, key);
    if (process === undefined) return undefined;
    const program = startFed(process, context);
    programs.push(program);
    return program;
  };
  const mark = watchForEndMark(target.endMark);
  const check = start('check');
  const facts = start('facts');
  return {
    async push(chunk) {
      mark.push(chunk);
      await Promise.all(programs.map((program) => program.push(chunk)));
    },
    async end() {
      mark.assertSeen();
      const [, said] = await Promise.all([check?.end(), facts?.end()]);
      return said === undefined ? {} : readFacts(said, target.facts?.[0] ?? '');
    },
    close: async () => void (await Promise.all(programs.map((program) => program.stop()))),
  };
}

/** Shows raw bytes to the judges of a target; rejects with `integrity` when one of them refuses. */
export async function judge(raw: Readable, target: KnownTarget, context: Context): Promise<Facts> {
  const judges = startJudges(target, context);
  try {
    for await (const chunk of raw) await judges.push(chunk as Buffer);
    return await judges.end();
  } finally {
    await judges.close();
  }
}
