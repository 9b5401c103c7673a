import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Target } from '../../src/generated/policy.ts';
import type { Scenario, ScenarioResult } from './scenario.ts';

const ENTRY = fileURLToPath(new URL('./scenario.ts', import.meta.url));
const NOBODY = 65_534;

export interface ScenarioOptions {
  /** Run as a user without rights, where this process may choose. */
  readonly asNobody?: boolean;
  /** Largest file that may be written, in blocks of 512 or 1024 bytes. */
  readonly mostBlocks?: number;
}

function startScenario<K extends Target['type']>(scenario: Scenario<K>, options: ScenarioOptions = {}): ChildProcess {
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', ENTRY, JSON.stringify(scenario)];
  // What is written beyond the limit fails, as on a full disk, instead of ending the process.
  const limit = `trap '' XFSZ; ulimit -f ${options.mostBlocks ?? 'unlimited'}; exec "$@"`;
  const user = options.asNobody === true && process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  return spawn('sh', ['-c', limit, 'sh', ...node], { ...user, stdio: ['ignore', 'pipe', 'inherit'] });
}

/** Runs a scenario to its end. */
export async function runScenario<K extends Target['type']>(
  scenario: Scenario<K>,
  options: ScenarioOptions = {},
): Promise<ScenarioResult> {
  const child = startScenario(scenario, options);
  if (child.stdout === null) throw new Error('no output');
  return JSON.parse(await text(child.stdout)) as ScenarioResult;
}

/** Kills a scenario after a while, as power failures do; resolves when it is gone. */
export async function killScenario<K extends Target['type']>(scenario: Scenario<K>, afterMs: number): Promise<void> {
  const child = startScenario(scenario);
  child.stdout?.resume();
  const ended = once(child, 'close');
  const timer = setTimeout(() => child.kill('SIGKILL'), afterMs);
  await ended;
  clearTimeout(timer);
}
