import { basename } from 'node:path';
import { Readable } from 'node:stream';
import type { Context, ProcessSpec } from '../../context.ts';
import { targetError, throwIfAborted, toolError } from '../../errors.ts';
import type { ByteSource } from '../../streams/bytes.ts';
import type { Capture, Inspector } from '../engine.ts';
import { watchForEndMark } from './end-mark.ts';
import { type Judges, startJudges } from './judge-artifact.ts';
import { type CommandTarget, missingPrograms, requireProgram } from './programs.ts';

/** The program that captures, ready to be started; its bytes pass Node only where something must see them. */
export async function captureCommand(target: CommandTarget, context: Context): Promise<Capture> {
  const [problem] = missingPrograms(target, ['capture', 'check', 'facts'], context);
  if (problem !== undefined) throw toolError(`cannot capture: ${problem.message}`, { hint: problem.hint });
  const process = requireProgram(target, 'capture');
  const { endMark, ...judged } = target;
  const start = context.clock.now();
  const started: Judges[] = [];
  const inspect: Inspector = {
    open() {
      const judges = startJudges(judged, context);
      started.push(judges);
      return judges;
    },
  };
  const isJudged = target.check !== undefined || target.facts !== undefined;
  return {
    artifacts: [
      {
        name: '',
        extension: target.extension ?? 'bin',
        format: 'command',
        source: sourceOf(process, endMark, context),
        estimatedBytes: null,
        ...(isJudged ? { inspect } : {}),
      },
    ],
    // Its end is the end of the program, which runs while it is read.
    get pointInTime() {
      return [start, context.clock.now()] as const;
    },
    versions: { server: null, tool: null },
    warnings: [],
    facts: async () => ({}),
    close: async () => void (await Promise.all(started.map((judges) => judges.close()))),
  };
}

const sourceOf = (process: ProcessSpec, endMark: string | undefined, context: Context): ByteSource =>
  endMark === undefined
    ? { kind: 'process', process }
    : { kind: 'stream', open: () => Readable.from(readToMark(process, endMark, context), { objectMode: false }) };

/** The output of a program, which is good only when it ends with the mark and the program with exit code 0. */
async function* readToMark(process: ProcessSpec, endMark: string, context: Context): AsyncGenerator<Buffer> {
  const running = context.start(process, { stdin: 'ignore', stdout: 'pipe' });
  running.closed.catch(() => undefined);
  const mark = watchForEndMark(endMark);
  try {
    for await (const chunk of running.stdout ?? []) {
      mark.push(chunk as Buffer);
      yield chunk as Buffer;
    }
    const { exitCode, signal, stderr } = await running.closed;
    throwIfAborted(context.signal);
    if (exitCode !== 0) {
      const how = exitCode === null ? `ended by ${signal}` : `exit code ${exitCode}`;
      throw targetError(`cannot read with ${basename(process.argv[0])}: ${how}${stderr === '' ? '' : `: ${stderr}`}`);
    }
    mark.assertSeen();
  } finally {
    running.stop();
    await running.closed.catch(() => undefined);
  }
}
