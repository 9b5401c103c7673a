import { text } from 'node:stream/consumers';
import type { Context, ProcessEnd, ProcessSpec, RunningProcess } from '../../context.ts';
import { type BkpError, integrityError } from '../../errors.ts';

const MOST_SAID_BYTES = 1024 * 1024;

/** A program that is given an artifact piece by piece and judges it. */
export interface FedProgram {
  /** Resolves when it has taken the piece, or takes no more. */
  push(chunk: Buffer): Promise<void>;
  /** What it said on stdout; rejects with `integrity` unless it exits with 0. */
  end(): Promise<string>;
  /** Ends it, whatever it is doing, and waits until it is gone. */
  stop(): Promise<void>;
}

export function startFed(process: ProcessSpec, context: Context): FedProgram {
  const running = context.start(process, { stdin: 'pipe', stdout: 'pipe' });
  const { stdin, stdout } = running;
  if (stdin === null || stdout === null) throw new Error('a program without a pipe');
  const said = text(bounded(stdout, running)).catch(() => '');
  running.closed.catch(() => undefined);
  // It may have seen enough before the end: its exit code tells what it thinks.
  let takesMore = true;
  stdin.on('error', () => (takesMore = false));
  return {
    push: (chunk) =>
      takesMore ? new Promise<void>((resolve) => void stdin.write(chunk, () => resolve())) : Promise.resolve(),
    async end() {
      stdin.end();
      const [answer, end] = await Promise.all([said, running.closed]);
      if (end.exitCode !== 0) throw refusal(process, end);
      return answer;
    },
    async stop() {
      running.stop();
      await running.closed.catch(() => undefined);
    },
  };
}

async function* bounded(stdout: AsyncIterable<Buffer>, running: RunningProcess): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of stdout) {
    bytes += chunk.length;
    if (bytes > MOST_SAID_BYTES) running.stop();
    else yield chunk;
  }
}

function refusal({ argv }: ProcessSpec, { exitCode, signal, stderr }: ProcessEnd): BkpError {
  const how = exitCode === null ? `was ended by ${signal}` : `exited ${exitCode}`;
  const said = stderr.trim().split('\n').at(-1) ?? '';
  return integrityError(`cannot trust the artifact: ${argv[0]} ${how}${said === '' ? '' : `: ${said}`}`);
}
