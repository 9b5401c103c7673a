import { BkpError, reasonOf, type ErrorCode } from '../errors.ts';

/** What a job process writes to its stdout: one JSON document. */
export type JobAnswer =
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false;
      readonly code: ErrorCode | null;
      readonly message: string;
      readonly hint?: string | undefined;
    };

export const answerOf = (value: unknown): JobAnswer => ({ ok: true, value });

/** An error as JSON. A code of null marks a bug. */
export function failureOf(error: unknown): JobAnswer {
  if (error instanceof BkpError) return { ok: false, code: error.code, message: error.message, hint: error.hint };
  return { ok: false, code: null, message: reasonOf(error) };
}

/** The value of an answer; throws the error that the job threw. */
export function valueOf(answer: JobAnswer): unknown {
  if (answer.ok) return answer.value;
  if (answer.code === null) throw new Error(answer.message);
  throw new BkpError(answer.code, answer.message, { hint: answer.hint });
}
