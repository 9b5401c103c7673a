import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { expect } from 'vitest';
import type { Project } from '../cli/project.ts';
import { outcomeOf, type Run } from '../cli/run-bkp.ts';

/** Programs that can be made to wait: hooks and the tools of the capture. */
export type Held = 'before' | 'always' | 'plain' | 'tar' | 'zstd';

/** A project whose hooks and tools wait where a test wants them to. */
export interface HeldProject extends Project {
  /** Starts bkp and waits until one of its programs waits. `ended` comes later. */
  readonly holdAt: (args: string, held: Held) => Promise<HeldRun>;
  /** Lines the hooks wrote: their names, and `<name> ended`. */
  readonly log: () => Promise<readonly string[]>;
  /** Waits until a program waits. */
  readonly waits: (held: Held) => Promise<void>;
  /** Makes a program wait from now on. */
  readonly hold: (held: Held) => Promise<void>;
  /** Nothing waits any more. */
  readonly release: () => Promise<void>;
  readonly startWithTools: (args: string) => HeldRun;
}

export interface HeldRun {
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly ended: Promise<Run>;
  /** What it said on standard output so far. */
  readonly said: () => string;
}

export const HOOKS = `    hooks:
      before: [ { run: [./hook, before] } ]
      after: [ { run: [./hook, plain] }, { run: [./hook, always], always: true } ]
`;

const HOOK = `#!/bin/sh
echo "$1" >>log
if [ -e "hold-$1" ]; then touch "at-$1"; until [ -e go ]; do sleep 0.05; done; fi
echo "$1 ended" >>log
`;

/** Puts hooks and tools that can wait into a project. */
export async function makeHeld(project: Project): Promise<HeldProject> {
  const { folder } = project;
  const path: Project['path'] = (...parts) => project.path(...parts);
  const own = project.env['PATH'] ?? '';
  await mkdir(path('bin'));
  const programs = ['tar', 'zstd'].map((name) => {
    const wait = `[ "$1" = --version ] || if [ -e "${folder}/hold-${name}" ]; then touch "${folder}/at-${name}"; exec sleep 600; fi`;
    return [path('bin', name), `#!/bin/sh\n${wait}\nPATH=${own} exec ${name} "$@"\n`] as const;
  });
  for (const [file, script] of [...programs, [path('hook'), HOOK] as const]) {
    await writeFile(file, script);
    await chmod(file, 0o700);
  }
  const startWithTools = (args: string): HeldRun => {
    const child = project.start(args.split(' '), { env: { PATH: `${path('bin')}:${own}` } });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    return { kill: (signal) => child.kill(signal), ended: outcomeOf(child), said: () => said };
  };
  const waits = (held: Held): Promise<void> =>
    expect.poll(() => readdir(folder), { timeout: 30_000 }).toContain(`at-${held}`);
  const hold = (held: Held): Promise<void> => writeFile(path(`hold-${held}`), '');
  return {
    ...project,
    startWithTools,
    waits,
    hold,
    holdAt: async (args, held) => {
      await hold(held);
      const run = startWithTools(args);
      await waits(held);
      return run;
    },
    log: async () => (await readFile(path('log'), 'utf8').catch(() => '')).split('\n').filter(Boolean),
    release: async () => {
      for (const name of await readdir(folder)) if (/^(hold|at)-|^(go|log)$/.test(name)) await rm(path(name));
    },
  };
}
