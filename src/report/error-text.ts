import { BkpError, PolicyError, reasonOf, type ExitCode } from '../errors.ts';
import { diagnosticsJson } from './diagnostics-json.ts';
import { diagnosticsText } from './diagnostics.ts';
import type { Paint } from './terminal.ts';

/** An error for people: one line, and the hint. What bkp did not expect is called a bug, without a stack. */
export function formatError(error: unknown, paint: Paint): string {
  if (error instanceof PolicyError) return diagnosticsText(error.diagnostics, paint);
  if (error instanceof BkpError) {
    const hint = error.hint === undefined ? '' : `${paint('cyan', 'hint:')} ${error.hint}\n`;
    return `${paint('red', 'error:')} ${error.message}\n${hint}`;
  }
  return `${paint('red', 'error:')} bkp failed in a way it did not expect: ${reasonOf(error)}\n${paint('cyan', 'hint:')} this is a bug; run again with BKP_DEBUG=1 and report what it prints\n`;
}

/** The same as one JSON document, so that every path of `--format json` prints one. */
export function errorJson(error: unknown, exitCode: ExitCode): Readonly<Record<string, unknown>> {
  const known = error instanceof BkpError;
  return {
    formatVersion: 1,
    type: 'error',
    exitCode,
    ...(error instanceof PolicyError ? diagnosticsJson(error.diagnostics, false) : {}),
    error: {
      code: known ? error.code : 'bug',
      message: reasonOf(error),
      hint: known ? (error.hint ?? null) : null,
    },
  };
}
