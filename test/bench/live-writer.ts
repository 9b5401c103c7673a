import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

export interface LiveWriter {
  /** Ends the writer. Gives the milliseconds that each commit took. */
  stop(): Promise<readonly number[]>;
}

/** Starts a process that writes 200 commits a second. */
export async function startLiveWriter(database: string): Promise<LiveWriter> {
  const program = join(import.meta.dirname, 'programs', 'live-writer.mjs');
  const child = spawn(process.execPath, [program, database], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'readable');
  const output = text(child.stdout);
  return {
    async stop() {
      child.kill('SIGTERM');
      const lines = (await output).trim().split('\n');
      return JSON.parse(lines.at(-1) ?? '[]') as number[];
    },
  };
}
