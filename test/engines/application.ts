import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';

/** Another process that has a database open. */
export interface Application {
  readonly pid: number;
  /** Lines it printed so far. */
  readonly lines: () => readonly string[];
  readonly stop: () => Promise<void>;
}

/**
 * Runs JavaScript in a process of its own, with `database` open on a path; resolves once the script printed its first
 * line. The process stays until it is stopped or the test ends.
 */
export async function startApplication(path: string, script: string): Promise<Application> {
  const source = `
    import { DatabaseSync } from 'node:sqlite';
    const database = new DatabaseSync(process.argv[1]);
    database.exec('PRAGMA busy_timeout = 20000');
    ${script}
    process.stdin.resume().on('end', () => process.exit());`;
  const argv = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', source, path];
  const child = spawn(process.execPath, argv, { stdio: ['pipe', 'pipe', 'inherit'] });
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const closed = once(child, 'close');
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await closed;
  };
  onTestFinished(stop);
  await once(child.stdout, 'data');
  return { pid: child.pid ?? 0, lines: () => printed.trim().split('\n'), stop };
}
