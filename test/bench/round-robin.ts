import { execFileSync } from 'node:child_process';
import type { SideResult, Verdict } from './case.ts';
import { measure, type Command, type Sample } from './measure.ts';

export interface Side {
  readonly name: string;
  readonly command: Command;
  /** Runs before each measurement, unmeasured. */
  readonly before?: () => void | Promise<void>;
  readonly after?: () => void | Promise<void>;
}

/** Measures all sides in turn, so that what disturbs the machine disturbs all of them. */
export async function roundRobin(sides: readonly Side[], runs: number): Promise<readonly SideResult[]> {
  const samples = sides.map((): Sample[] => []);
  for (let run = 0; run < runs; run += 1) {
    for (const [index, side] of sides.entries()) {
      await side.before?.();
      // What others left to be written would be paid for by whoever syncs first.
      execFileSync('sync');
      samples[index]?.push(await measure(side.command));
      await side.after?.();
    }
  }
  return sides.map(({ name }, index) => ({ name, samples: samples[index] ?? [] }));
}

/** Wall time of one side divided by another's, run by run. */
export function wallRatio(results: readonly SideResult[], name: string, peer: string, atMost: number | null): Verdict {
  const own = wallsOf(results, name);
  const other = wallsOf(results, peer);
  return {
    label: `${name} / ${peer}`,
    values: own.map((ms, run) => ms / (other[run] ?? Number.NaN)),
    unit: 'x',
    atMost,
  };
}

/** CPU time of the processes of one side divided by another's, run by run; a server's own is in neither. */
export function cpuRatio(results: readonly SideResult[], name: string, peer: string, atMost: number): Verdict {
  const cpuOf = (side: string): readonly number[] =>
    results.find((one) => one.name === side)?.samples.map(({ cpuMs }) => cpuMs) ?? [];
  const other = cpuOf(peer);
  const values = cpuOf(name).map((ms, run) => ms / (other[run] ?? Number.NaN));
  return { label: `${name} / ${peer}, CPU`, values, unit: 'x', atMost };
}

/** Wall time of one side against the fastest of some others, run by run. */
export function wallRatioToFastest(
  results: readonly SideResult[],
  name: string,
  peers: readonly string[],
  atMost: number,
): Verdict {
  const others = peers.map((peer) => wallsOf(results, peer));
  return {
    label: `${name} / faster of ${peers.join(', ')}`,
    values: wallsOf(results, name).map((ms, run) => ms / Math.min(...others.map((walls) => walls[run] ?? Infinity))),
    unit: 'x',
    atMost,
  };
}

/** Wall time of one side in seconds. */
export const wallSeconds = (results: readonly SideResult[], name: string, atMost: number): Verdict => ({
  label: `${name}, wall`,
  values: wallsOf(results, name).map((ms) => ms / 1000),
  unit: 's',
  atMost,
});

const wallsOf = (results: readonly SideResult[], name: string): readonly number[] =>
  results.find((side) => side.name === name)?.samples.map(({ wallMs }) => wallMs) ?? [];
