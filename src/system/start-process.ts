import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { ProcessEnd, ProcessSpec, RunningProcess, StdioEnd } from '../context.ts';
import { hasErrnoCode, reasonOf, toolError } from '../errors.ts';
import { cleanStderr, type Redactor } from './redact.ts';
import { ANSWER_FD } from './run-reader.ts';
import { createTailBuffer } from './tail-buffer.ts';

const GRACE_MS = 5_000;

export interface StartOptions {
  /** Absolute path of `spec.argv[0]`. */
  readonly program: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly stdin: StdioEnd;
  readonly stdout: StdioEnd;
  /** Gives the child one more pipe to write to, descriptor 3. */
  readonly answers?: boolean;
  readonly signal: AbortSignal;
  readonly redactor: Redactor;
}

export interface StartedProcess extends RunningProcess {
  /** Present where `answers` was asked for. */
  readonly answer: Readable | null;
}

/** Starts a program in a process group of its own that ends with the signal. */
export function startProcess(spec: ProcessSpec, options: StartOptions): StartedProcess {
  const child = spawn(options.program, spec.argv.slice(1), {
    argv0: spec.argv[0],
    cwd: spec.cwd,
    env: options.environment,
    detached: true,
    stdio: [options.stdin, options.stdout, 'pipe', ...(options.answers === true ? (['pipe'] as const) : [])],
  });
  endWithUs(child);
  const sent = new Set<NodeJS.Signals>();
  const stop = groupStopper(child, sent);
  const stderr = createTailBuffer();
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
  // A reader that went away is judged by its exit code, not by our EPIPE.
  child.stdin?.on('error', () => undefined);

  const closed = new Promise<ProcessEnd>((resolve, reject) => {
    child.once('error', (error) => {
      if (child.pid !== undefined) return;
      reject(toolError(`cannot start ${spec.argv[0]}: ${options.redactor.redact(reasonOf(error))}`, { cause: error }));
    });
    child.once('close', (exitCode, signal) => {
      if (child.pid === undefined) return;
      const stopped = signal !== null && sent.has(signal);
      resolve({ exitCode, signal, stderr: cleanStderr(stderr.text(), options.redactor), stopped });
    });
  });
  const settle = (): void => options.signal.removeEventListener('abort', stop);
  closed.then(settle, settle);
  if (options.signal.aborted) stop();
  else options.signal.addEventListener('abort', stop, { once: true });
  const answer = options.answers === true ? (child.stdio[ANSWER_FD] as Readable) : null;
  return { stdin: child.stdin, stdout: child.stdout, answer, closed, stop };
}

const running = new Set<number>();
// A second Ctrl-C, or a bug, ends this process at once: nothing it started stays behind.
process.on('exit', () => running.forEach((pid) => killGroup(pid, 'SIGKILL')));

function endWithUs(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  running.add(pid);
  child.once('close', () => running.delete(pid));
}

function groupStopper(child: ChildProcess, sent: Set<NodeJS.Signals>): () => void {
  let stopping = false;
  let closed = false;
  child.once('close', () => (closed = true));
  return () => {
    if (stopping || closed || child.pid === undefined) return;
    stopping = true;
    sent.add('SIGTERM');
    killGroup(child.pid, 'SIGTERM');
    const kill = setTimeout(() => {
      sent.add('SIGKILL');
      if (child.pid !== undefined) killGroup(child.pid, 'SIGKILL');
      // A grandchild that left the group may hold our pipes open for ever.
      child.stdout?.destroy();
      child.stderr?.destroy();
    }, GRACE_MS);
    child.once('close', () => clearTimeout(kill));
  };
}

function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (!hasErrnoCode(error, 'ESRCH', 'EPERM')) throw error;
  }
}
