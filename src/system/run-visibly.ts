import { spawn } from 'node:child_process';

export interface ChildOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a program on this terminal and gives its exit code; 1 when it could not be started or was ended by a signal. */
export async function runVisibly(argv: readonly [string, ...string[]], { cwd, env }: ChildOptions): Promise<number> {
  const child = spawn(argv[0], argv.slice(1), { cwd, stdio: 'inherit', env: { ...process.env, ...env } });
  return new Promise((resolve) => {
    child.on('error', () => resolve(1));
    child.on('close', (code) => resolve(code ?? 1));
  });
}

/** The command line that starts this bkp again. */
export const selfArgv = (): readonly [string, ...string[]] => [process.execPath, process.argv[1] ?? 'bkp'];

/** Starts a quiet program in the background and gives it its input. `stop` ends it and waits until it is gone. */
export function startQuietly(
  argv: readonly [string, ...string[]],
  stdin: string,
): { readonly hasEnded: () => boolean; stop(): Promise<void> } {
  const child = spawn(argv[0], argv.slice(1), { stdio: ['pipe', 'ignore', 'ignore'] });
  child.stdin.on('error', () => undefined).end(stdin);
  const closed = new Promise<void>((resolve) => {
    child.on('error', () => resolve());
    child.on('close', () => resolve());
  });
  return {
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    stop: async () => {
      child.kill('SIGKILL');
      await closed;
    },
  };
}
