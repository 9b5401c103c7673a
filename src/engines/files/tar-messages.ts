import type { ProcessEnd } from '../../context.ts';
import type { Judgement } from '../../streams/bytes.ts';

const MOST_WARNINGS = 20;
/** As many lines as a `ProcessEnd` keeps: with that many, some may be missing. */
const MOST_LINES = 100;

const FINAL = /^(?:Exiting with failure status due to previous errors|Error exit delayed from previous errors\.)$/;
const ASKED_FOR = /: (?:file|directory|contents) (?:is|are)? ?(?:on a different filesystem; )?not dumped$/;
const HARMLESS = /: (?:socket ignored|[Uu]nknown file type; file ignored|pax format cannot archive sockets)$/;
const CHANGED =
  /: (?:file changed as we read it|File removed before we read it|File shrank by \d+ bytes?; padding with zeros)$/;
const GREW = /: Truncated write; file may have grown while being archived\.$/;
const VANISHED =
  /: (?:Warning: )?Cannot (?:stat|open|lstat|readlink|savedir|read link): (?:No such file or directory|Not a directory)$/;
const BSD_VANISHED = /: Cannot stat: No such file or directory$|: Cannot open: No such file or directory$/;

/** Judges the end of a tar that captured: changed or vanished files ask for another try, unreadable ones fail it. */
export function judgeCapture(end: ProcessEnd, notes: readonly string[]): Judgement {
  const lines = linesOf(end).filter((line) => !ASKED_FOR.test(line));
  const warnings = [...notes, ...fewOf(lines)];
  if (end.exitCode === 0) return { verdict: 'ok', warnings };
  const errors = lines.filter((line) => !isTransient(line) && !HARMLESS.test(line));
  const isComplete = end.stderr.split('\n').length < MOST_LINES;
  if (end.exitCode === 1 && lines.some(isTransient) && errors.length === 0) return { verdict: 'retry', warnings };
  if (end.exitCode === 2 && lines.some(isTransient) && errors.length === 0 && isComplete)
    return { verdict: 'retry', warnings };
  return failed(end, errors);
}

/** Judges the end of a tar that extracted: what it could not set is a warning, anything worse fails. */
export function judgeExtraction(end: ProcessEnd): Judgement {
  const lines = linesOf(end);
  return end.exitCode === 0 ? { verdict: 'ok', warnings: fewOf(lines) } : failed(end, lines);
}

const isTransient = (line: string): boolean =>
  CHANGED.test(line) || GREW.test(line) || VANISHED.test(line) || BSD_VANISHED.test(line);

function linesOf(end: ProcessEnd): readonly string[] {
  return end.stderr
    .split('\n')
    .map((line) => line.replace(/^(?:\S*\/)?(?:bsd)?tar: /, ''))
    .filter((line) => line !== '' && !FINAL.test(line));
}

function failed(end: ProcessEnd, errors: readonly string[]): Judgement {
  const how = end.signal === null ? `tar ended with ${end.exitCode}` : `tar was stopped by ${end.signal}`;
  const first = errors[0];
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  const reason = first === undefined ? how : `${first}${more}`;
  const all = errors.join('\n');
  if (/Permission denied|Operation not permitted/.test(all)) {
    return { verdict: 'failed', reason, hint: 'run bkp as a user who may do that, root for files of other users' };
  }
  if (/No space left on device|Disk quota exceeded/.test(all)) {
    return { verdict: 'failed', reason, hint: 'make room there, or choose another place' };
  }
  return { verdict: 'failed', reason };
}

function fewOf(lines: readonly string[]): readonly string[] {
  if (lines.length <= MOST_WARNINGS) return lines;
  return [...lines.slice(0, MOST_WARNINGS), `and ${lines.length - MOST_WARNINGS} more lines of tar`];
}
