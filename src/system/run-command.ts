import type { CommandResult, ProcessSpec, RunningProcess, RunOptions } from '../context.ts';
import { abortReason, toolError } from '../errors.ts';

const MOST_STDOUT_BYTES = 16 * 1024 * 1024;

/** Feeds a started program its input, collects its output and waits for its end. */
export async function collectCommand(
  spec: ProcessSpec,
  running: RunningProcess,
  options: RunOptions,
  signal: AbortSignal,
): Promise<CommandResult> {
  const name = spec.argv[0];
  const most = options.maxStdoutBytes ?? MOST_STDOUT_BYTES;
  const chunks: Buffer[] = [];
  let bytes = 0;
  let timedOut = false;
  running.stdout?.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > most) running.stop();
    else chunks.push(chunk);
  });
  running.stdin?.end(options.stdin);
  const timer =
    options.timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true;
          running.stop();
        }, options.timeoutMs);
  try {
    const end = await running.closed;
    if (signal.aborted) throw abortReason(signal);
    if (timedOut) throw toolError(`cannot run ${name}: no end after ${options.timeoutMs} ms`);
    if (bytes > most) throw toolError(`cannot run ${name}: more than ${most} bytes on its standard output`);
    return { ...end, stdout: Buffer.concat(chunks).toString('utf8') };
  } finally {
    clearTimeout(timer);
  }
}
