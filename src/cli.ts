import { CommanderError } from 'commander';
import { commandLineError } from './commands/command-line-error.ts';
import { buildProgram } from './commands/program.ts';
import { BkpError, EXIT, type ExitCode } from './errors.ts';
import { errorJson, formatError } from './report/error-text.ts';
import { cacheDirectory } from './system/cache-directory.ts';
import { installSignals } from './system/signals.ts';
import { createTerminal } from './system/terminal.ts';
import { BKP_VERSION } from './version.ts';

const terminal = createTerminal();
const wantsJson = process.argv.some(
  (arg, index) => arg === '--format=json' || (arg === 'json' && process.argv[index - 1] === '--format'),
);

/** argv → command → exit code. The only place that sets the exit code. */
async function main(argv: readonly string[]): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.done;
  const signal = installSignals();
  const program = buildProgram(BKP_VERSION, terminal, async (run, args, options) => {
    const file = options.list('file');
    if (file.length > 1)
      throw new BkpError('usage', 'cannot read several policies: -f was given more than once', {
        hint: 'join files with `include:` in one policy',
      });
    exitCode = await run(args, options, {
      terminal,
      signal,
      bkpVersion: BKP_VERSION,
      cacheDir: cacheDirectory(),
    });
  });
  try {
    if (argv.length === 0) program.help({ error: false });
    await program.parseAsync([...argv], { from: 'user' });
    return signal.aborted ? EXIT.interrupted : exitCode;
  } catch (error) {
    return report(error, signal.aborted);
  }
}

function report(thrown: unknown, interrupted: boolean): ExitCode {
  if (thrown instanceof CommanderError && thrown.exitCode === 0) return EXIT.done;
  const error = thrown instanceof CommanderError ? commandLineError(thrown, process.argv.slice(2)) : thrown;
  const exitCode = interrupted ? EXIT.interrupted : error instanceof BkpError ? error.exitCode : EXIT.failed;
  if (wantsJson) sayIfPossible(`${JSON.stringify(errorJson(error, exitCode))}\n`);
  terminal.err(formatError(error, terminal.paintErr));
  if (process.env['BKP_DEBUG'] !== undefined && error instanceof Error) terminal.err(`${error.stack ?? ''}\n`);
  return exitCode;
}

/** The result stream may be what failed. */
function sayIfPossible(text: string): void {
  try {
    terminal.out(text);
  } catch {
    // What is wrong with it stands on the error stream.
  }
}

// Thrown where nobody waits for it: told like every other error, never as a bare stack.
process.on('uncaughtException', (error) => {
  process.exit(report(error, false));
});
// No top-level await: the bundle is a CommonJS file. To run out of work before the end is a failure.
process.once('exit', () => {
  process.exitCode ??= EXIT.failed;
});
void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
