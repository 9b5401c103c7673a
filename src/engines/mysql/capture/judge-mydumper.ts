import type { ProcessEnd } from '../../../context.ts';
import type { Judgement } from '../../../streams/bytes.ts';
import { CHANGED, MEANS_CHANGED } from './judge-dump.ts';
import { withoutValues } from '../server/explain-error.ts';

/** What the end of mydumper means: its own words, without rows. */
export function judgeMydumper({ exitCode, stderr }: Pick<ProcessEnd, 'exitCode' | 'stderr'>): Judgement {
  const said = stderr.split('\n').flatMap((line) => {
    const [, level, message] = LINE.exec(line) ?? [];
    return level === undefined || message === undefined ? [] : [{ level, message: withoutValues(message) }];
  });
  if (exitCode === 0)
    return {
      verdict: 'ok',
      warnings: said
        .filter(({ level, message }) => level === 'WARNING' && !WANTED.test(message))
        .map(({ message }) => message),
    };
  const refused = /^option parsing failed: (.*?)(?:, try --help)?$/m.exec(stderr)?.[1];
  const reason = said.find(({ level }) => level !== 'WARNING')?.message ?? refused ?? `exit code ${exitCode}`;
  if (MEANS_CHANGED.test(reason)) return { verdict: 'failed', reason, hint: CHANGED };
  if (/Lock wait timeout/.test(reason))
    return {
      verdict: 'failed',
      reason: 'a table stayed in use while it waited to stop writers',
      hint: 'see who holds it, or raise `lockTimeout`',
    };
  if (/running longer than/.test(reason))
    return {
      verdict: 'failed',
      reason: 'a query runs for more than a minute, and all writers would have waited behind it',
      hint: 'capture again when it has ended, or write `lock: true`',
    };
  return { verdict: 'failed', reason };
}

const LINE = /^\*\* \(\S*\): (WARNING|CRITICAL|ERROR) \*\*: [\d:.]+: (.*)$/;
/** What we asked for, or what is a finding of ours. */
const WANTED = /trx_consistency_only|no-locks mode|Multisource/;
