import type { ProcessEnd } from '../../../context.ts';
import type { Judgement } from '../../../streams/bytes.ts';
import { hintFor, withoutValues } from '../server/explain-error.ts';

/** What the end of one of MongoDB's programs means when it is not good: its last words, without values of documents. */
export function whyItFailed({ exitCode, stderr }: Pick<ProcessEnd, 'exitCode' | 'stderr'>): Judgement {
  const said = /Failed: (.*)/.exec(stderr)?.[1] ?? stderr.trim().split('\n').at(-1)?.replace(STAMP, '') ?? '';
  const reason = said === '' ? `exit code ${exitCode}` : withoutValues(said);
  const hint = hintFor(said);
  return { verdict: 'failed', reason, ...(hint === undefined ? {} : { hint }) };
}

/** Before every line of a log. */
const STAMP = /^\d{4}-\d\d-\d\dT\S+\s+/;

/** What the end of mongodump means. Collections that went away while it worked are told. */
export function judgeDump(end: ProcessEnd): Judgement {
  if (end.exitCode !== 0) return whyItFailed(end);
  const gone = [...end.stderr.matchAll(/the collection (\S+) appears to have been dropped after the dump started/g)];
  return { verdict: 'ok', warnings: gone.map(([, name]) => `${name} was dropped while it was to be dumped`) };
}
