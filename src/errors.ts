/**
 * The exit codes of every command, in one place. `cli.ts` alone maps an outcome to one of them.
 * 3, 4 and 5 stop before the first step.
 */
export const EXIT = {
  done: 0,
  failed: 1,
  pending: 2,
  locked: 3,
  invalid: 4,
  stale: 5,
  guarded: 6,
  partly: 7,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What each exit code means, for `--help` and the README. */
export const EXIT_MEANINGS: Readonly<Record<ExitCode, string>> = {
  0: 'done, or nothing to do',
  1: 'nothing succeeded, or damage found',
  2: 'changes pending (`plan --detailed-exitcode`, `status`)',
  3: 'the lock could not be obtained',
  4: 'policy invalid or wrong usage',
  5: 'the saved plan is stale',
  6: 'only guards, failed online checks or `max-prune` stopped something',
  7: 'some done, some not',
  130: 'interrupted',
};

export type ErrorCode =
  | 'usage'
  | 'policy'
  | 'lock'
  | 'stale'
  | 'guard'
  | 'target'
  | 'repository'
  | 'not-found'
  | 'tool'
  | 'integrity'
  | 'interrupted';

const EXIT_OF: Readonly<Record<ErrorCode, ExitCode>> = {
  usage: EXIT.invalid,
  policy: EXIT.invalid,
  lock: EXIT.locked,
  stale: EXIT.stale,
  guard: EXIT.guarded,
  target: EXIT.failed,
  repository: EXIT.failed,
  'not-found': EXIT.failed,
  tool: EXIT.failed,
  integrity: EXIT.failed,
  interrupted: EXIT.interrupted,
};

export interface ErrorDetails {
  /** One sentence that tells the reader what to do next. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/**
 * Everything bkp throws on purpose. The message reads `cannot <verb> <object>: <reason>`, in lower case, without a full
 * stop, a stack or a secret. Anything else that is thrown is a bug and is reported as one.
 */
export class BkpError extends Error {
  override readonly name: string = 'BkpError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.hint = details.hint;
  }

  get exitCode(): ExitCode {
    return EXIT_OF[this.code];
  }
}

export interface TextPosition {
  /** One-based. */
  readonly line: number;
  readonly column: number;
}

/** One thing wrong with a policy: where, what, and what to do about it. Holds no secret. */
export interface Diagnostic {
  /** Stable: `BKP1002`. */
  readonly code: string;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly hint: string | null;
  readonly file: string;
  /** `end` is the column after the last character. */
  readonly range: { readonly start: TextPosition; readonly end: TextPosition };
  /** The lines around it with values of secret fields masked; empty for a file that could not be read. */
  readonly snippet: { readonly firstLine: number; readonly lines: readonly string[] };
}

/** A policy that cannot be used, with everything wrong with it, warnings included. */
export class PolicyError extends BkpError {
  readonly diagnostics: readonly Diagnostic[];

  constructor(path: string, diagnostics: readonly Diagnostic[]) {
    const errors = diagnostics.filter((diagnostic) => diagnostic.severity === 'error');
    const first = errors[0] ?? diagnostics[0];
    const at = first === undefined ? '' : ` at ${first.file}:${first.range.start.line}:${first.range.start.column}`;
    const rest = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
    super('policy', `cannot use policy "${path}": ${first?.message ?? 'it is not valid'}${at}${rest}`, {
      hint: first?.hint ?? undefined,
    });
    this.diagnostics = diagnostics;
  }
}

/** A wrong argument or flag. */
export const usageError = (message: string, details?: ErrorDetails): BkpError =>
  new BkpError('usage', message, details);
/** The lease of a backup is held by somebody else. */
export const lockError = (message: string, details?: ErrorDetails): BkpError => new BkpError('lock', message, details);
/** A saved plan that no longer describes the world. */
export const staleError = (message: string, details?: ErrorDetails): BkpError =>
  new BkpError('stale', message, details);
/** A rule that protects data refused. */
export const guardError = (message: string, details?: ErrorDetails): BkpError =>
  new BkpError('guard', message, details);
/** The thing to protect or the place to restore into is missing, refused or unsuitable. */
export const targetError = (message: string, details?: ErrorDetails): BkpError =>
  new BkpError('target', message, details);
/** A repository is missing, denied, full or broken. */
export const repositoryError = (message: string, details?: ErrorDetails): BkpError =>
  new BkpError('repository', message, details);
/** A named thing (key, snapshot, backup) does not exist. */
export const notFoundError = (message: string, details?: ErrorDetails): BkpError =>
  new BkpError('not-found', message, details);
/** A program is missing, too old or failed. */
export const toolError = (message: string, details?: ErrorDetails): BkpError => new BkpError('tool', message, details);
/** Stored or produced bytes are not what they must be. */
export const integrityError = (message: string, details?: ErrorDetails): BkpError =>
  new BkpError('integrity', message, details);
/** SIGINT or SIGTERM ended the run. */
export const interruptedError = (message: string, details?: ErrorDetails): BkpError =>
  new BkpError('interrupted', message, details);

/** Why a signal was aborted: the `BkpError` given as its reason (a time limit), else `interrupted`. */
export function abortReason(signal: AbortSignal): BkpError {
  return signal.reason instanceof BkpError ? signal.reason : interruptedError('interrupted');
}

/** Throws `abortReason` once the signal is aborted. */
export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw abortReason(signal);
}

/** The message of anything thrown, without a stack. */
export function reasonOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  return String(error);
}

/** True for an error of node:fs or node:child_process with one of the given codes (ENOENT, EEXIST, …). */
export function hasErrnoCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}
