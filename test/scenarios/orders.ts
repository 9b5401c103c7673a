import type { Action } from '../../src/reconcile/step.ts';

/** What the runner does, and what goes wrong with it. JSON, in its first argument. */
export interface Orders {
  /** Path of the policy. */
  readonly policy: string;
  readonly cacheDir: string;
  readonly command: 'apply' | 'destroy';
  /** Of a destroy: `app@<id>`, removed whatever speaks against it. */
  readonly snapshot?: string;
  readonly requested?: readonly string[];
  readonly only?: readonly Action[];
  readonly lockTimeoutMs?: number;
  readonly leaseMs?: number;
  /** The wall clock is this far from the machine's. */
  readonly clockOffsetMs?: number;
  /** Right before this file system step of the repositories, counted from 1 … */
  readonly atStep?: number;
  /** … the process gets this signal. A killed write has done half of its work. */
  readonly signal?: 'SIGKILL' | 'SIGSTOP' | 'SIGTERM';
}

/** What the runner says on its standard output, as one JSON line. */
export interface Outcome {
  readonly exitCode: number;
  readonly error: { readonly code: string; readonly message: string; readonly hint: string | null } | null;
  readonly steps: readonly {
    readonly action: string;
    readonly address: string;
    readonly outcome: string;
    readonly snapshot: string | null;
    readonly message: string | null;
  }[];
  /** File system steps of the repositories. */
  readonly fileSteps: number;
}
