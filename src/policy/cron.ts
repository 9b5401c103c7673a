import { Cron } from 'croner';

export const CRON_NICKNAMES: readonly string[] = ['@hourly', '@daily', '@weekly', '@monthly', '@yearly'];

/** Ticks are looked at from here, so that the answers depend on the expression alone. */
const REFERENCE = new Date('2024-01-01T00:00:00Z');
const TICKS_LOOKED_AT = 60;

/** Why a cron expression cannot be used; undefined when it can. */
export function cronProblem(expression: string): string | undefined {
  if (expression.startsWith('@')) return CRON_NICKNAMES.includes(expression) ? undefined : 'unknown nickname';
  const fields = expression.trim().split(/\s+/);
  if (fields.length !== 5)
    return `a schedule has five fields, this one has ${expression.trim() === '' ? 0 : fields.length}`;
  try {
    return ticksOf(expression, 1).length === 0 ? 'it never happens' : undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^CronPattern: /, '') : 'not understood';
    return reason.charAt(0).toLowerCase() + reason.slice(1);
  }
}

/** The longest time between two ticks of a valid expression. */
export function longestIntervalMs(expression: string): number {
  const ticks = ticksOf(expression, TICKS_LOOKED_AT);
  return Math.max(0, ...ticks.slice(1).map((tick, index) => tick.getTime() - (ticks[index]?.getTime() ?? 0)));
}

function ticksOf(expression: string, count: number): readonly Date[] {
  return new Cron(expression, { mode: '5-part', utcOffset: 0 }).nextRuns(count, REFERENCE);
}
