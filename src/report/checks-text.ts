import type { OnlineCheck } from '../reconcile/online-checks.ts';
import { formatTable } from './table.ts';
import type { Paint } from './terminal.ts';

/** One aligned line per check, hints below those that need one. */
export function formatChecks(checks: readonly OnlineCheck[], paint: Paint): string {
  const lines = formatTable(checks.map((check) => [wordOf(check), check.subject, check.message])).split('\n');
  return checks
    .map((check, index) => {
      const line = (lines[index] ?? '').replace(/^(?:ok|warn|FAIL)/, (word) => paint(colorOf(check), word));
      return `${line}\n${check.hint === null ? '' : `      ${paint('dim', `hint: ${check.hint}`)}\n`}`;
    })
    .join('');
}

const wordOf = ({ ok, warning }: OnlineCheck): string => (ok ? (warning ? 'warn' : 'ok') : 'FAIL');
const colorOf = ({ ok, warning }: OnlineCheck): 'green' | 'yellow' | 'red' =>
  ok ? (warning ? 'yellow' : 'green') : 'red';

export const checksJson = (checks: readonly OnlineCheck[]): Readonly<Record<string, unknown>> => ({
  formatVersion: 1,
  ok: checks.every(({ ok }) => ok),
  checks,
});
