import type { RestoreMode } from '../engines/engine.ts';
import type { Encryption, RepositoryConfig, Target } from '../generated/policy.ts';
import type { Compression } from '../streams/bytes.ts';

/** Where a value stands in the policy: one-based line and column. */
export interface SourcePosition {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/**
 * A policy that passed the schema and the rules: defaults filled, names linked, frozen. Durations are milliseconds,
 * relative paths absolute. Strings under `repositories`, `targets` and `hooks.*.env` may still hold `${env:…}`
 * references: `resolveTarget`, `resolveRepository` and `resolveHookEnv` look them up as late as possible.
 */
export interface ResolvedPolicy {
  readonly name: string;
  readonly formerly: readonly string[];
  /** The main file's path as given, `-` for standard input. */
  readonly path: string;
  /** SHA-256 over all files, sorted by path. */
  readonly sha256: string;
  /** Text of every file by path relative to the main file, with literals in secret fields masked. */
  readonly files: Readonly<Record<string, string>>;
  /** Absent where nothing is signed. */
  readonly signing?: ResolvedSigning;
  readonly repositories: readonly ResolvedRepository[];
  readonly targets: Readonly<Record<string, ResolvedTarget>>;
  readonly backups: readonly ResolvedBackup[];
  readonly restores: readonly ResolvedRestore[];
}

export interface ResolvedSigning {
  /** `ed25519:…`; there is at least one. */
  readonly publicKeys: readonly string[];
  /** Holds a reference; absent where this policy is only read with. */
  readonly privateKey?: string;
  /** The folder of its file: `${file:…}` starts here. */
  readonly directory: string;
  readonly source: SourcePosition;
  readonly sources?: Readonly<Record<string, SourcePosition>>;
}

export interface ResolvedRepository {
  readonly name: string;
  readonly config: RepositoryConfig;
  /** The folder of its file: a relative path that comes out of a reference starts here. */
  readonly directory: string;
  readonly source: SourcePosition;
  /** Positions of its keys, for references that cannot be looked up. */
  readonly sources?: Readonly<Record<string, SourcePosition>>;
}

export interface ResolvedTarget {
  readonly name: string;
  readonly formerly: readonly string[];
  readonly config: Target;
  /** The `x-defines` keys as written in the policy, with `type`: what the definition digest covers. */
  readonly definition: Readonly<Record<string, unknown>>;
  readonly compression: Compression;
  /** `fast` leaves out the reader that counts and checks the raw bytes. */
  readonly checks: 'full' | 'fast';
  /** The folder of its file: a relative path that comes out of a reference starts here. */
  readonly directory: string;
  readonly source: SourcePosition;
  /** Positions of its keys, for references that cannot be looked up. */
  readonly sources?: Readonly<Record<string, SourcePosition>>;
}

export interface ResolvedBackup {
  readonly name: string;
  readonly formerly: readonly string[];
  readonly enabled: boolean;
  readonly protect: boolean;
  readonly targets: readonly ResolvedTarget[];
  /** In policy order: the first readable one receives new snapshots, the others copies. */
  readonly repositories: readonly string[];
  /** Holds instead of that of the repositories; `recipientsFile` is absolute. */
  readonly encryption?: Encryption;
  readonly schedule: Schedule | null;
  readonly timezone: string;
  /** Null keeps everything. */
  readonly retention: Retention | null;
  readonly hooks: { readonly before: readonly Hook[]; readonly after: readonly Hook[] };
  readonly checks: Readonly<Record<string, readonly Check[]>>;
  readonly verify: { readonly everyMs: number | null; readonly deepEveryMs: number | null };
  readonly retryAfterMs: number;
  readonly maxPrune: number | null;
  readonly parallelism: number;
  readonly timeoutMs: number | null;
  readonly idleTimeoutMs: number;
  readonly safetyKeepMs: number;
  readonly keepOldMs: number;
  readonly source: SourcePosition;
  /** Positions of single keys (`retention`, `schedule`, `verify`, `repositories`), for the reasons of steps. */
  readonly sources: Readonly<Record<string, SourcePosition>>;
}

export type Schedule =
  | { readonly kind: 'cron'; readonly expression: string }
  | { readonly kind: 'every'; readonly everyMs: number };

export interface Retention {
  readonly keepLast: number | null;
  readonly hourly: number | null;
  readonly daily: number | null;
  readonly weekly: number | null;
  readonly monthly: number | null;
  readonly yearly: number | null;
  readonly withinMs: number | null;
}

export interface Hook {
  readonly argv: readonly [string, ...string[]];
  readonly timeoutMs: number;
  /** May hold references. */
  readonly env: Readonly<Record<string, string>>;
  /** For `after`: run also on failure and on a signal. */
  readonly always: boolean;
  /** The folder of its file: `${file:…}` starts here. */
  readonly directory: string;
  readonly source: SourcePosition;
  /** Positions of its variables, for references that cannot be looked up. */
  readonly sources?: Readonly<Record<string, SourcePosition>>;
}

export type Check =
  | { readonly sql: string; readonly expect: Expectation }
  | { readonly facts: string; readonly expect: Expectation };

/** `> 0`, `= 12`, `>= previous * 0.9`. */
export interface Expectation {
  readonly text: string;
  readonly operator: '>' | '>=' | '<' | '<=' | '=' | '!=';
  /** The right side is `value`, or `previous * value` when `relative`. */
  readonly relative: boolean;
  readonly value: number | string;
}

export interface ResolvedRestore {
  readonly name: string;
  readonly backup: string;
  /** An id, a past day or `latest`, as written after `@`. */
  readonly selector: string;
  readonly repeat: boolean;
  readonly targets: Readonly<
    Record<string, { readonly into: Readonly<Record<string, unknown>>; readonly mode: RestoreMode }>
  >;
  readonly keepOldMs: number;
  readonly source: SourcePosition;
}
