import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'vitest';
import type { ExitCode } from '../../src/errors.ts';

/** The program as it is started from the source. */
export const PROGRAM: string = new URL('../../src/bkp.cjs', import.meta.url).pathname;

/** What one run of the program came to. */
export interface Run {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** A folder of its own with its own home, cache and environment, where the real program runs. */
export interface Place {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** A path below the folder. */
  path(...parts: readonly string[]): string;
  /** Runs bkp with everything piped. */
  run(args: readonly string[], options?: RunOptions): Promise<Run>;
  /** The same with arguments separated by spaces; fails the test, showing all it printed, on another exit code. */
  bkp(args: string, exitCode?: ExitCode): Promise<Run>;
  /** Starts bkp and leaves it running. */
  start(args: readonly string[], options?: RunOptions): ChildProcessWithoutNullStreams;
  remove(): Promise<void>;
}

/** Makes an empty place. The time zone is far from UTC, so that whoever uses the machine's is found out. */
export async function makePlace(): Promise<Place> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'bkp-cli-')));
  const env = {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: join(folder, '.home'),
    XDG_CACHE_HOME: join(folder, '.cache'),
    LANG: 'C.UTF-8',
    TZ: 'Pacific/Auckland',
    TMPDIR: join(folder, '.tmp'),
    NODE_COMPILE_CACHE: join(tmpdir(), 'bkp-cli-compile-cache'),
  };
  await mkdir(env.HOME);
  await mkdir(env.TMPDIR);
  return placeAt(folder, env);
}

function placeAt(folder: string, env: Readonly<Record<string, string>>): Place {
  const start: Place['start'] = (args, options = {}) =>
    spawn(process.execPath, [PROGRAM, ...args], {
      cwd: options.cwd ?? folder,
      env: { ...env, ...options.env },
      stdio: 'pipe',
    });
  const run: Place['run'] = (args, options = {}) => outcomeOf(start(args, options), options.stdin);
  return {
    folder,
    env,
    path: (...parts) => join(folder, ...parts),
    start,
    run,
    bkp: checked(run),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Runs with arguments that hold no spaces, and expects an exit code. */
const checked =
  (run: Place['run']): Place['bkp'] =>
  async (args, exitCode = 0) => {
    const result = await run(args === '' ? [] : args.split(' '));
    expect(result.exitCode, `bkp ${args}\n${result.stdout}\n${result.stderr}`).toBe(exitCode);
    return result;
  };

/** The same place with more in the environment of what runs there to its end. */
export function withEnvironment<P extends Place>(place: P, env: Readonly<Record<string, string>>): P {
  const run: Place['run'] = (args, options = {}) => place.run(args, { ...options, env: { ...env, ...options.env } });
  return { ...place, run, bkp: checked(run) };
}

/** Waits for the end of a started program. */
export async function outcomeOf(child: ChildProcessWithoutNullStreams, stdin = ''): Promise<Run> {
  child.stdin.on('error', () => undefined).end(stdin);
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { exitCode, stdout, stderr };
}

/** The one JSON document on the result stream, which carries the format version. */
export function jsonOf({ stdout }: Pick<Run, 'stdout'>): Record<string, unknown> {
  const value: unknown = JSON.parse(stdout);
  expect(value).toMatchObject({ formatVersion: 1 });
  return value as Record<string, unknown>;
}

/** NDJSON: one document per line, the first with the format version. */
export function linesOf({ stdout }: Pick<Run, 'stdout'>): readonly Record<string, unknown>[] {
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines[0]).toEqual({ formatVersion: 1, type: 'run' });
  return lines;
}
