import { basename } from 'node:path';
import type { ProcessEnd, ProcessSpec } from '../context.ts';
import { type BkpError, targetError, toolError } from '../errors.ts';
import type { Judgement } from './bytes.ts';

/** The parts of one flow that must all end well, watched together. */
export interface Stages {
  /** Watches one part. The first that fails stops the others. */
  add(part: Promise<unknown>): void;
  /** Watches a reader: that bytes are cut is the symptom of a writer that failed, where one did. */
  addReader(part: Promise<unknown>): void;
  /** Resolves when every part ended well; rejects, once all have ended, with what failed first. */
  finished(): Promise<void>;
  /** What failed first and is not a consequence of something else, so far. */
  cause(): unknown;
  /** Resolves when all have ended, however they did. */
  ended(): Promise<void>;
}

/** What another failure brought about: a lost reader, a process that we stopped. */
const consequences = new WeakSet<Error>();

/** Marks an error as the consequence of another one, which is reported before it. */
export function markConsequence(error: BkpError): BkpError {
  consequences.add(error);
  return error;
}

/** The same for what breaks after a flow was stopped. */
export const markIfStopped = (error: BkpError, stopped: AbortSignal): BkpError =>
  stopped.aborted ? markConsequence(error) : error;

export function createStages(stop: () => void): Stages {
  const parts: Promise<void>[] = [];
  const failures: unknown[] = [];
  const symptoms: unknown[] = [];
  const ended = async (): Promise<void> => {
    await Promise.all(parts);
  };
  const cause = (): unknown => [...failures, ...symptoms].find((error) => !isConsequence(error));
  const watch = (part: Promise<unknown>, found: unknown[]): void => {
    const watched = part.then(
      () => undefined,
      (error: unknown) => {
        found.push(error);
        stop();
      },
    );
    parts.push(watched);
  };
  return {
    ended,
    cause,
    add: (part) => watch(part, failures),
    addReader: (part) => watch(part, symptoms),
    async finished() {
      await ended();
      if (failures.length + symptoms.length > 0) throw cause() ?? failures[0] ?? symptoms[0];
    },
  };
}

export const isConsequence = (error: unknown): boolean => error instanceof Error && consequences.has(error);

export interface Judging {
  /** What was going on: `read`, `decode a/b`. */
  readonly verb: string;
  readonly judge?: ((end: ProcessEnd) => Judgement) | undefined;
  /** The class of a bad exit code; default `tool`, or `target` where a judge gave the reason. */
  readonly makeError?: typeof toolError;
}

/** Says what the end of a process means; throws when it failed. Without a judge only exit code 0 is good. */
export function judgeEnd(
  spec: ProcessSpec,
  end: ProcessEnd,
  judging: Judging,
): Judgement & { readonly verdict: 'ok' | 'retry' } {
  const { verb, judge } = judging;
  const judgement: Judgement = end.signal === null && judge !== undefined ? judge(end) : judgeExitCode(end);
  if (judgement.verdict !== 'failed') return judgement;
  const makeError = judging.makeError ?? (judge === undefined ? toolError : targetError);
  const make = end.signal === null ? makeError : toolError;
  const error = make(`cannot ${verb} with ${basename(spec.argv[0])}: ${judgement.reason}`, { hint: judgement.hint });
  // Node joins processes by socket pairs, where a reader that left bytes unread resets the connection.
  const lostReader = end.signal === 'SIGPIPE' || /broken pipe|connection reset/i.test(end.stderr);
  throw lostReader || end.stopped ? markConsequence(error) : error;
}

function judgeExitCode(end: ProcessEnd): Judgement {
  if (end.exitCode === 0) return { verdict: 'ok', warnings: [] };
  const how = end.signal === null ? `exit code ${end.exitCode}` : `ended by ${end.signal}`;
  const said = end.stderr.split('\n').slice(-5).join('\n').trim();
  return { verdict: 'failed', reason: said === '' ? how : `${how}: ${said}` };
}
