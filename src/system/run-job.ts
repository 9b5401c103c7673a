import { fileURLToPath } from 'node:url';
import type { JobName, ReaderName, RunningProcess } from '../context.ts';
import { abortReason, toolError } from '../errors.ts';
import { collectCommand } from './run-command.ts';
import { type JobAnswer, valueOf } from './job-protocol.ts';
import { SMALL_YOUNG_SPACE } from './young-space.ts';

/** The command line of one job or reader; in the bundle the entry lies beside the other chunks. */
export function jobArgv(name: JobName | `read-${ReaderName}`): readonly [string, ...string[]] {
  const entry = import.meta.url.endsWith('.ts') ? './job-main.ts' : './job-main.js';
  return [
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    SMALL_YOUNG_SPACE,
    fileURLToPath(new URL(entry, import.meta.url)),
    name,
  ];
}

/** Gives a started job its input and returns its result; what the job threw is thrown here. */
export async function collectJob(
  name: JobName,
  running: RunningProcess,
  input: unknown,
  signal: AbortSignal,
): Promise<unknown> {
  const result = await collectCommand({ argv: [name] }, running, { stdin: JSON.stringify(input) }, signal);
  if (signal.aborted) throw abortReason(signal);
  if (result.stdout === '') {
    if (result.signal !== null) throw toolError(`cannot run job ${name}: it was ended by ${result.signal}`);
    throw new Error(`job ${name} ended with exit code ${result.exitCode} and no answer: ${result.stderr}`);
  }
  return valueOf(JSON.parse(result.stdout) as JobAnswer);
}
