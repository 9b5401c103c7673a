import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { watchNodeRss } from './node-rss.ts';

export interface Command {
  readonly argv: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Sample {
  readonly wallMs: number;
  /** User and system time of the whole process tree. */
  readonly cpuMs: number;
  /** Of the largest single process. */
  readonly rssMiB: number;
  /** Of the largest Node process; null where there was none. */
  readonly nodeRssMiB: number | null;
}

/** Runs a command to its end and measures it. Throws, with what it said, unless it exits with 0. */
export async function measure(command: Command): Promise<Sample> {
  const report = join(tmpdir(), `bkp-bench-${process.pid}.time`);
  const began = process.hrtime.bigint();
  const child = spawn('/usr/bin/time', ['-q', '-f', '%U %S %M', '-o', report, ...command.argv], {
    cwd: command.cwd,
    env: { ...process.env, ...command.env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const said = text(child.stderr);
  const rss = watchNodeRss(child.pid ?? 0);
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  const wallMs = Number(process.hrtime.bigint() - began) / 1e6;
  const nodeRssMiB = rss.stop();
  if (exitCode !== 0) throw new Error(`${command.argv.join(' ')} ended with ${exitCode}: ${(await said).trim()}`);
  const [user = 0, system = 0, kib = 0] = readFileSync(report, 'utf8').trim().split(' ').map(Number);
  rmSync(report);
  return { wallMs, cpuMs: (user + system) * 1000, rssMiB: kib / 1024, nodeRssMiB };
}
