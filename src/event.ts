/** What the core reports while it works. Reporters draw it; nothing below `report/` prints. */
export type RunEvent =
  | { readonly type: 'step-started'; readonly stepId: string; readonly action: string; readonly address: string }
  | {
      readonly type: 'step-finished';
      readonly stepId: string;
      readonly action: string;
      readonly address: string;
      readonly outcome: 'done' | 'partial' | 'failed' | 'skipped' | 'not-started';
      readonly snapshot: string | null;
      readonly message: string | null;
      readonly hint: string | null;
      readonly durationMs: number;
    }
  /** `bytes` so far and, where it is known, of how many. */
  | {
      readonly type: 'progress';
      readonly subject: string;
      readonly bytes: number;
      readonly totalBytes: number | null;
    }
  | {
      readonly type: 'target-finished';
      readonly target: string;
      readonly status: 'captured' | 'failed';
      readonly rawBytes: number;
      readonly storedBytes: number;
      readonly message: string | null;
      readonly hint: string | null;
    }
  | {
      readonly type: 'hook';
      readonly phase: 'before' | 'after';
      readonly argv: readonly string[];
      readonly ok: boolean;
      readonly message: string | null;
    }
  | { readonly type: 'waiting'; readonly message: string }
  | { readonly type: 'note'; readonly message: string }
  | { readonly type: 'warning'; readonly message: string };
