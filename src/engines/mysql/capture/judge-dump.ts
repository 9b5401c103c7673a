import type { ProcessEnd } from '../../../context.ts';
import type { Judgement } from '../../../streams/bytes.ts';
import { withoutValues } from '../server/explain-error.ts';

/** What the end of a dumping program means: its own words, without rows. */
export function judgeDump({ exitCode, stderr }: ProcessEnd): Judgement {
  const lines = stderr.split('\n').filter((line) => line !== '');
  if (exitCode === 0) return { verdict: 'ok', warnings: lines.flatMap((line) => toldIn(line)) };
  const said = lines.map((line) => ERROR.exec(line)?.[1]).find((reason) => reason !== undefined);
  const reason = said === undefined ? `exit code ${exitCode}` : withoutValues(said);
  // Its rows are none of the snapshot any more, and the dump ends there.
  if (MEANS_CHANGED.test(stderr)) return { verdict: 'failed', reason, hint: CHANGED };
  if (/\b1356\b|references invalid table/.test(stderr))
    return {
      verdict: 'failed',
      reason,
      hint: 'repair or drop the view: nobody can read it, nor could a restore make it',
    };
  if (/Got packet bigger|max_allowed_packet/.test(stderr))
    return { verdict: 'failed', reason, hint: 'raise max_allowed_packet of the server above its largest row' };
  return { verdict: 'failed', reason };
}

export const MEANS_CHANGED: RegExp = /\b1412\b|Table definition has changed/;
export const CHANGED = 'a table was changed while it was dumped: capture again when that has ended';

const ERROR = /^[\w/.-]*(?:mysqldump|mariadb-dump)[^:]*: (?:Got error: |Error: )?(.*)$/;

const toldIn = (line: string): readonly string[] => {
  const [, warning] =
    /^(?:-- )?(?:\S*(?:mysqldump|mariadb-dump)\S*: )?(?:\[Warning\]|Warning:) (.*)$/i.exec(line) ?? [];
  return warning === undefined || /column_statistics|GTID/i.test(warning) ? [] : [warning];
};
