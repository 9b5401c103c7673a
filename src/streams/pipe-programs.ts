import type { Readable, Writable } from 'node:stream';
import type { Context, ProcessEnd, ProcessSpec, RunningProcess, StdioEnd } from '../context.ts';
import type { toolError } from '../errors.ts';
import { judgeEnd, type Stages } from './stages.ts';

/** One program that bytes go through. */
export interface Stage {
  readonly process: ProcessSpec;
  /** What it does, for messages: `compress`, `decode a/b`. */
  readonly verb: string;
  /** The class of its failure; default `tool`. */
  readonly makeError?: (end: ProcessEnd) => typeof toolError;
}

export interface Pipe {
  /** Of the first program, where `pipe` was asked for. */
  readonly stdin: Writable | null;
  /** Of the last program, where `pipe` was asked for. */
  readonly stdout: Readable | null;
}

/** Starts programs one behind the other, joined by OS pipes; their bytes never enter this process in between. */
export function pipePrograms(
  programs: readonly Stage[],
  ends: { readonly stdin: StdioEnd; readonly stdout: StdioEnd },
  stages: Stages,
  context: Context,
): Pipe {
  let next: Writable | null = null;
  let last: RunningProcess | undefined;
  for (const [index, program] of [...programs.entries()].toReversed()) {
    const stdin = index === 0 ? ends.stdin : 'pipe';
    const stdout: StdioEnd = next ?? ends.stdout;
    const begin = (): RunningProcess => context.start(program.process, { stdin, stdout });
    const running: RunningProcess = next === null ? begin() : handOver(next, begin);
    const judged = running.closed.then((end) => judge(program, end));
    // That its input is cut is the symptom of the program before it, whichever of them ends first.
    if (index === 0) stages.add(judged);
    else stages.addReader(judged);
    last ??= running;
    next = running.stdin;
  }
  return { stdin: next, stdout: last?.stdout ?? null };
}

function judge({ process, verb, makeError }: Stage, end: ProcessEnd): void {
  judgeEnd(process, end, makeError === undefined ? { verb } : { verb, makeError: makeError(end) });
}

/** Our copy of a write end that a child got must go, or its reader never sees the end. Not end(): it shuts the shared pipe. */
export function handOver<T>(end: Writable, start: () => T): T {
  try {
    return start();
  } finally {
    end.destroy();
  }
}
