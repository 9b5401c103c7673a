import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Context } from '../../../src/context.ts';
import type { RestoreMode } from '../../../src/engines/engine.ts';
import { files } from '../../../src/engines/files/files.ts';
import type { RestoreReport } from './restore-process.ts';

/** A restore in a process of its own, which can be killed or be another user's. */
export interface RestoreOrder {
  readonly archive: string;
  readonly paths: string[];
  readonly root?: string;
  readonly mode: RestoreMode;
  readonly workDirParent: string;
  /** The step before which the process kills itself. */
  readonly killAt?: number;
  /** The rename that fails, counted from 1. */
  readonly failAt?: number;
}

const ENTRY = fileURLToPath(new URL('./restore-process.ts', import.meta.url));

/** Runs it to its end; null when it was killed. */
export async function runRestore(order: RestoreOrder, user?: number): Promise<RestoreReport | null> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ENTRY, JSON.stringify(order)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    ...(user === undefined ? {} : { uid: user, gid: user }),
  });
  const closed = once(child, 'close');
  const said = await text(child.stdout);
  const [, signal] = (await closed) as [number | null, string | null];
  return signal === null ? (JSON.parse(said) as RestoreReport) : null;
}

/** Captures paths into a plain tar file. */
export async function captureToFile(context: Context, paths: readonly string[], path: string): Promise<void> {
  const capture = await files.capture({ type: 'files', paths: [...paths] }, context);
  const source = capture.artifacts[0]?.source;
  if (source?.kind !== 'process') throw new Error('not a process');
  const { stdout } = context.start(source.process, { stdin: 'ignore', stdout: 'pipe' });
  if (stdout === null) throw new Error('no output');
  const chunks: Buffer[] = [];
  for await (const chunk of stdout) chunks.push(chunk as Buffer);
  writeFileSync(path, Buffer.concat(chunks));
  await capture.close();
}
