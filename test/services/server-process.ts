import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, closeSync, openSync, readFileSync } from 'node:fs';

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

export interface ServerOptions {
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** The file that keeps what it says. */
  readonly log: string;
  /** What ends it at once and in order. */
  readonly stopSignal: 'SIGINT' | 'SIGTERM';
}

export interface ServerProcess {
  readonly pid: number;
  readonly isRunning: () => boolean;
  /** Its exit code when it ended by itself; null after a signal. */
  readonly ended: Promise<number | null>;
  /** Signals it and waits until it is gone. */
  readonly stop: () => Promise<void>;
}

const running = new Map<number, ServerOptions['stopSignal']>();

/** True while a process is there and has not ended; a dead one that nobody waited for is gone. */
export function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

// An interrupted run gets no further than this event, where nothing asynchronous happens any more.
process.on('exit', () => {
  for (const [pid, signal] of running) process.kill(pid, signal);
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let i = 0; i < 500 && [...running.keys()].some(isAlive); i++) Atomics.wait(pause, 0, 0, 10);
});

/** Gives a path to the user that servers run as. */
export function giveToServer(path: string): void {
  if (isRoot) chownSync(path, NOBODY, NOBODY);
}

/**
 * Starts a program that stays in the foreground, without privileges. It ends with this process, however that ends: on
 * its exit, or else by the kernel.
 */
export function startServer(argv: readonly string[], { env, log, stopSignal }: ServerOptions): ServerProcess {
  const user = isRoot ? [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'] : [];
  const file = openSync(log, 'a');
  const child = spawn('setpriv', [...user, `--pdeathsig=${stopSignal.slice(3)}`, '--', ...argv], {
    env: { ...env },
    stdio: ['ignore', file, file],
    // Of its own process group, or Ctrl-C would end it below tests that are still running.
    detached: true,
  });
  closeSync(file);
  const { pid } = child;
  if (pid === undefined) throw new Error(`cannot run setpriv: install the package util-linux.`);
  running.set(pid, stopSignal);
  const ended = once(child, 'exit').then(([code]): number | null => {
    running.delete(pid);
    return code as number | null;
  });
  return {
    pid,
    isRunning: () => running.has(pid),
    ended,
    stop: async () => {
      if (running.has(pid)) process.kill(pid, stopSignal);
      await ended;
    },
  };
}
