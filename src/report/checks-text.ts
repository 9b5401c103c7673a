import type { OnlineCheck } from '../reconcile/online-checks.ts';
import { formatTable } from './table.ts';
import type { Paint } from './terminal.ts';

/** One aligned line per check, hints below the failed ones. */
export function formatChecks(checks: readonly OnlineCheck[], paint: Paint): string {
  const lines = formatTable(checks.map(({ ok, subject, message }) => [ok ? 'ok' : 'FAIL', subject, message])).split(
    '\n',
  );
  return checks
    .map((check, index) => {
      const line = (lines[index] ?? '').replace(/^(?:ok|FAIL)/, (word) => paint(check.ok ? 'green' : 'red', word));
      return `${line}\n${check.ok || check.hint === null ? '' : `      ${paint('dim', `hint: ${check.hint}`)}\n`}`;
    })
    .join('');
}

export const checksJson = (checks: readonly OnlineCheck[]): Readonly<Record<string, unknown>> => ({
  formatVersion: 1,
  ok: checks.every(({ ok }) => ok),
  checks,
});
