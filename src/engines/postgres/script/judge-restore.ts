import type { ProcessEnd } from '../../../context.ts';
import { type BkpError, integrityError, targetError, toolError } from '../../../errors.ts';
import type { Judgement } from '../../../streams/bytes.ts';

/** Only the first line of an error is shown: the others may quote rows and passwords. Errors are never ignored. */
export function judgeRestore({ exitCode, stderr }: ProcessEnd): Judgement {
  const said = /error: (.*)/.exec(stderr)?.[1]?.replace(/^could not execute query: /, '');
  const ignored = stderr.includes('errors ignored on restore');
  if (exitCode === 0 && !ignored) return { verdict: 'ok', warnings: [] };
  return failed(said?.replace(/^ERROR: +/, '') ?? `exit code ${exitCode}`);
}

/** The same for psql, which names the line of the script first. */
export function judgeScript({ exitCode, stderr }: ProcessEnd): Judgement {
  if (exitCode === 0) return { verdict: 'ok', warnings: [] };
  const said = /(?:ERROR|FATAL): +(.*)/.exec(stderr)?.[1] ?? /error: (.*)/.exec(stderr)?.[1];
  return failed(said ?? `exit code ${exitCode}`);
}

const failed = (reason: string): Judgement =>
  reason.includes('unrecognized configuration parameter')
    ? { verdict: 'failed', reason, hint: 'install postgresql-client of the major version of the server' }
    : { verdict: 'failed', reason };

/** Why pg_restore could not read an archive: a `tool` error where it is too old for a good one, else `integrity`. */
export function unreadableError(program: string, { exitCode, stderr }: ProcessEnd): BkpError {
  const said = /error: (.*)/.exec(stderr)?.[1] ?? `exit code ${exitCode}`;
  if (said.includes('unsupported version'))
    return toolError(`cannot read the archive with ${program}: ${said}`, {
      hint: 'a newer pg_dump wrote it: install postgresql-client of that version, and restore into a server of that version',
    });
  const make = exitCode === 1 ? integrityError : toolError;
  return make(`cannot read the archive with ${program}: ${said}`);
}

/** Throws what the end of a restoring program means. */
export function assertRestored(name: string, end: ProcessEnd, judge: (end: ProcessEnd) => Judgement): void {
  if (end.signal !== null) throw toolError(`cannot restore with ${name}: it was ended by ${end.signal}`);
  const judgement = judge(end);
  if (judgement.verdict === 'failed')
    throw targetError(`cannot restore with ${name}: ${judgement.reason}`, { hint: judgement.hint });
}
