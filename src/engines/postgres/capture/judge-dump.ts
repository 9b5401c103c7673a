import type { ProcessEnd } from '../../../context.ts';
import type { Judgement } from '../../../streams/bytes.ts';
import { OF_STANDBY } from '../server/explain-error.ts';

/** What the end of pg_dump or pg_dumpall means: its own words for people, without the statement that may follow them. */
export function judgeDump({ exitCode, stderr }: ProcessEnd): Judgement {
  if (exitCode === 0) return { verdict: 'ok', warnings: warningsIn(stderr) };
  const said = /error: (.*)/.exec(stderr)?.[1];
  const server = /(?:ERROR|FATAL): +(.*)/.exec(stderr)?.[1];
  const reason = server ?? said ?? `exit code ${exitCode}`;
  // pg_dump waits for locks under a statement timeout of its own.
  if (/due to (?:lock|statement) timeout/.test(reason))
    return { verdict: 'failed', reason: 'a table stayed locked', hint: 'see who holds it, or raise `lockTimeout`' };
  if (reason.includes('conflict with recovery')) return { verdict: 'failed', reason, hint: OF_STANDBY };
  return { verdict: 'failed', reason };
}

const warningsIn = (stderr: string): readonly string[] =>
  stderr.split('\n').flatMap((line) => /^pg_dump(?:all)?: warning: (.*)$/.exec(line)?.[1] ?? []);
