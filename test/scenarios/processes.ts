import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process as anybody with the right to look sees it. */
export interface SeenProcess {
  readonly pid: number;
  readonly argv: string;
  readonly environment: string;
}

/** Every live process whose environment holds a text: bkp hands HOME to its children, so a home of a test's own marks them. */
export function processesWith(marker: string): readonly SeenProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const environment = readFileSync(`/proc/${name}/environ`, 'utf8');
        if (!environment.includes(marker)) return [];
        return [{ pid: Number(name), argv: readFileSync(`/proc/${name}/cmdline`, 'utf8'), environment }];
      } catch {
        // It ended meanwhile, or belongs to somebody else.
        return [];
      }
    });
}

/** Looks again and again until told to stop, and gives every process it met. */
export function watchProcesses(marker: string): { readonly stop: () => Promise<readonly SeenProcess[]> } {
  const seen = new Map<string, SeenProcess>();
  let running = true;
  const loop = (async () => {
    while (running) {
      for (const one of processesWith(marker)) seen.set(`${one.pid} ${one.argv}`, one);
      await sleep(5);
    }
  })();
  return {
    stop: async () => {
      running = false;
      await loop;
      return [...seen.values()];
    },
  };
}
