import type { Readable, Stream, Writable } from 'node:stream';
import type { Identities } from './encryption/identities.ts';
import type { RunEvent } from './event.ts';
import type { Signing } from './signing/signing.ts';

/** Where time comes from. Pure code never sees it: it takes a `Date`. */
export interface Clock {
  /** Wall time of this machine. */
  now(): Date;
  /** Milliseconds on a clock that never jumps, for lease waits and time limits. */
  monotonicMs(): number;
}

/** Who runs this process: written into leases and run records. */
export interface Host {
  readonly name: string;
  /** Changes with every boot of the machine; tells a dead owner of a lease from a live one. Empty where unknown. */
  readonly bootId: string;
  readonly pid: number;
  readonly uid: number;
  readonly platform: NodeJS.Platform;
  readonly cpus: number;
  /** Version of the Node.js that runs this, `v24.21.0`. */
  readonly node: string;
  /** True while a process of this machine has the given id, whoever it belongs to. */
  isAlive(pid: number): boolean;
}

/**
 * A program to start, as plain data: no shell, no inherited environment. Children get PATH, HOME, LANG, `LC_ALL=C`,
 * TZ=UTC and what `env` adds.
 */
export interface ProcessSpec {
  readonly argv: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** How a process ended. `stderr` is cut to its last lines and freed of known secrets. */
export interface ProcessEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
  /** The signal that ended it was ours: why we sent it is the news. */
  readonly stopped: boolean;
}

export interface CommandResult extends ProcessEnd {
  readonly stdout: string;
}

export interface RunOptions {
  readonly stdin?: string;
  readonly timeoutMs?: number;
  /** More than this much on stdout is an error; default 16 MiB. */
  readonly maxStdoutBytes?: number;
}

/** One end of a child's stdio: a pipe to Node, nothing, an open file, or the handle of another child's stream. */
export type StdioEnd = 'pipe' | 'ignore' | number | Stream;

/** A program under way, the leader of its own process group. */
export interface RunningProcess {
  /** Present where `pipe` was asked for. */
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  /** Resolves when the process and its streams have closed, however it ended; rejects with `tool` if it never started. */
  readonly closed: Promise<ProcessEnd>;
  /** Ends the whole group: SIGTERM, then SIGKILL after a grace time. Safe to call at any time. */
  stop(): void;
}

/** One of bkp's own readers under way, between a program that writes and one that takes what it wrote. */
export interface RunningReader extends RunningProcess {
  /**
   * What it found, once its input has ended; rejects with what it found wrong. Null where it came to no end: `closed`
   * tells why.
   */
  readonly result: Promise<ReaderResult | null>;
}

export interface ReaderResult {
  /** How much passed. */
  readonly bytes: number;
  /** JSON, as the reader gave it. */
  readonly facts: unknown;
}

/** What adapters are given by the edge of the program; always the last parameter, never global. */
export interface Context {
  readonly clock: Clock;
  readonly host: Host;
  /** Aborted on SIGINT and SIGTERM and when a time limit passes. Whoever works long must obey it. */
  readonly signal: AbortSignal;
  /** A private folder (0700) for this run, removed at its end. Large temporary files go here. */
  readonly workDir: string;
  /** What opens encrypted artifacts; absent where nobody gave one. */
  readonly identities?: Identities | undefined;
  /** Whose signatures count and what is signed with; absent where the policy asks for none. */
  readonly signing?: Signing | undefined;
  emit(event: RunEvent): void;
  /**
   * Runs one program to its end with its output in memory. Resolves whatever the exit code is; throws a `tool` error
   * when the program is missing, `interrupted` on abort. On abort the whole process group is stopped.
   */
  run(process: ProcessSpec, options?: RunOptions): Promise<CommandResult>;
  /**
   * Starts one program and leaves its bytes to the caller: `streams/`, and an engine that reads back what it wrote.
   * Throws `tool` when the program is missing. On abort the whole process group is stopped; the caller must fail then,
   * whatever the exit code is.
   */
  start(process: ProcessSpec, stdio: { readonly stdin: StdioEnd; readonly stdout: StdioEnd }): RunningProcess;
  /** The same context with a signal that is aborted earlier, for time limits and for stopping one step of many. */
  withSignal(signal: AbortSignal): Context;
  /** The absolute path of a program on PATH, or undefined. */
  findTool(name: string): string | undefined;
  /**
   * Runs one of bkp's own blocking jobs in a child Node process, so that the event loop stays free and an abort stops
   * it at once. `input` and the result are JSON; an error thrown in the job arrives as the same `BkpError`.
   */
  runJob(name: JobName, input: unknown): Promise<unknown>;
  /**
   * Starts one of bkp's own readers in a child Node process: what comes in at its stdin goes out at its stdout. Bytes
   * between two programs are read there in half the time that the event loop takes, with one buffer.
   */
  startReader(name: ReaderName, stdout: StdioEnd): RunningReader;
}

export type JobName = 'sqlite' | 'demo-writer';
export type ReaderName =
  | 'tar'
  | 'mongo-archive'
  | 'mysql-dump'
  | 'mysql-mydumper'
  | 'pg-custom'
  | 'pg-directory'
  | 'pg-plain'
  | 'pg-tar';
