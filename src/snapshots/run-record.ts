import type { SetAside } from '../engines/engine.ts';

/** What one `apply`, `backup`, `restore` or `destroy` did, failures included. Stored as `runs/<backup>/<id>.json`, kept 90 days. */
export interface RunRecord {
  readonly formatVersion: 1;
  /** Same form as a snapshot id. */
  readonly id: string;
  readonly policy: string;
  readonly backup: string;
  readonly command: string;
  readonly host: string;
  /** With `host`, tells a run that is alive from one that died. */
  readonly bootId: string;
  readonly pid: number;
  readonly bkp: string;
  readonly startedAt: string;
  /** Null while the run is under way, or when it died. */
  readonly finishedAt: string | null;
  readonly outcome: 'running' | 'done' | 'partly' | 'failed' | 'interrupted';
  /** The tick a capture was made for, so that a failed one waits `retryAfter`. */
  readonly tick: string | null;
  /** Definition captured, so that a corrected policy is tried at once; null for runs that capture nothing. */
  readonly definitionSha256: string | null;
  /** As planned while the run is under way, then what became of each. */
  readonly steps: readonly RunStep[];
  /** Hook argv lists of `after` that must run although the run died; emptied once they ran. */
  readonly owedHooks: readonly (readonly string[])[];
  /** Old states that a `replace` set aside, with the time they may go. */
  readonly setAside: readonly SetAsideRecord[];
  /** Ids of the policy's repositories by name as this run found them: how one repository remembers the others. */
  readonly repositories?: Readonly<Record<string, string>>;
  /** As with a manifest; not stored. What a run set aside is removed on the word of one that counts only. */
  readonly signedBy?: string | null;
}

export interface RunStep {
  readonly action: string;
  readonly address: string;
  readonly reason: string;
  readonly outcome: 'done' | 'partial' | 'failed' | 'skipped' | 'not-started';
  /** Snapshot made, copied, verified, restored or removed. */
  readonly snapshot: string | null;
  /** Why it failed; what went wrong beside it (an `after` hook) where it is done. */
  readonly error: string | null;
}

export interface SetAsideRecord extends SetAside {
  readonly host: string;
  /** Whose destination it was, and what was laid over the target then; references as written. */
  readonly target: string;
  readonly into: Readonly<Record<string, unknown>>;
  readonly until: string;
}
