import type { Facts } from '../engines/engine.ts';
import type { RestoreReport } from './run-restore.ts';
import type { PreparedRestore } from './prepare-restore.ts';
import type { SetAsideRecord } from '../snapshots/run-record.ts';
import type { Session } from './session.ts';

/** What was set aside by a restore, with the time it may go. */
export function setAsideBy(session: Session, report: RestoreReport, keepOldMs: number): readonly SetAsideRecord[] {
  const until = new Date(session.context.clock.now().getTime() + keepOldMs).toISOString();
  return Object.values(report.outcomes)
    .flatMap((outcome) => outcome.keptOld)
    .map((old) => ({ ...old, host: session.context.host.name, until }));
}

/** Sentences for people about what a restore left behind and what it could not do. */
export function restoreFlaws(report: RestoreReport): readonly string[] {
  return Object.entries(report.outcomes).flatMap(([target, outcome]) =>
    outcome.conflicts.map((conflict) => `${target}: not restored: ${conflict}`),
  );
}

/** `events: 200,000 rows`, one line per target: what came back. */
export function describeRestored(prepared: PreparedRestore, report: RestoreReport): readonly string[] {
  return prepared.targets.flatMap(({ name, state }) => {
    const outcome = report.outcomes[name];
    if (outcome === undefined) return [];
    const kept = outcome.keptOld.map((old) => `the old state is kept as ${old.reference}`);
    return [
      `${name}: ${describeFacts(outcome.restored)}`,
      ...kept,
      ...(state.state === 'occupied' && kept.length === 0 ? [`over ${state.description}`] : []),
    ];
  });
}

/** `5 entries, 2 files`: facts in a line; nested ones by their last name. */
function describeFacts(facts: Facts): string {
  const parts = Object.entries(facts).flatMap(([key, value]): readonly string[] =>
    value !== null && typeof value === 'object'
      ? [describeFacts(value)]
      : [`${typeof value === 'number' ? value.toLocaleString('en') : String(value)} ${key}`],
  );
  return parts.filter((part) => part !== '').join(', ') || 'nothing was missing';
}
