import type { Facts } from '../engines/engine.ts';
import type { Target } from '../generated/policy.ts';
import { TARGET_FACTS } from '../generated/schema-facts.ts';
import { formatInstant } from './phrases.ts';
import type { RestoreReport } from './run-restore.ts';
import type { PreparedRestore } from './prepare-restore.ts';
import type { SetAsideRecord } from '../snapshots/run-record.ts';
import type { Session } from './session.ts';

/** What was set aside by a restore, with the time it may go. */
export function setAsideBy(
  session: Session,
  { targets }: PreparedRestore,
  report: RestoreReport,
  keepOldMs: number,
): readonly SetAsideRecord[] {
  const until = new Date(session.context.clock.now().getTime() + keepOldMs).toISOString();
  const host = session.context.host.name;
  return targets.flatMap(({ name, resolved, into }) =>
    (report.outcomes[name]?.keptOld ?? []).map((old) => ({
      ...old,
      host,
      target: resolved.name,
      into: withoutSecrets(resolved.config.type, into),
      until,
    })),
  );
}

/** What reaches the old state again, and nothing that opens it: secrets come from the policy. */
const withoutSecrets = (
  type: Target['type'],
  into: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(into).filter(([key]) => !TARGET_FACTS[type].secrets.includes(key)));

/** Sentences for people about what a restore left behind and what it could not do. */
export function restoreFlaws(report: RestoreReport): readonly string[] {
  return Object.entries(report.outcomes).flatMap(([target, outcome]) =>
    outcome.conflicts.map((conflict) => `${target}: not restored: ${conflict}`),
  );
}

/** `db -> /srv/app.db: 200,000 events`, and where the old state went: what came back, in lines. */
export function describeRestored(
  prepared: PreparedRestore,
  report: RestoreReport,
  setAside: readonly SetAsideRecord[],
): readonly string[] {
  return prepared.targets.flatMap(({ name, place, mode, paths }) => {
    const outcome = report.outcomes[name];
    if (outcome === undefined) return [];
    const until = new Map(setAside.map((record) => [record.reference, record.until]));
    const kept = outcome.keptOld.map(({ reference }) => {
      const end = until.get(reference);
      return `the state before is kept${end === undefined ? '' : ` until ${formatInstant(end)}`}: ${reference}`;
    });
    const facts = describeFacts(outcome.restored);
    const nothing = mode === 'merge' ? 'nothing was missing' : 'restored';
    const chosen = paths.length === 0 ? '' : ` (${paths.join(', ')})`;
    return [`${name}${chosen} -> ${place}: ${facts.length === 0 ? nothing : facts.join(', ')}`, ...kept];
  });
}

const MOST_FACTS = 6;

/** `5 entries, 2 files`: the numbers that are not zero; nested ones by their last name, the largest where there are many. */
function describeFacts(facts: Facts): readonly string[] {
  const numbers = numbersOf(facts).filter(([, value]) => value !== 0);
  const shown = numbers.length <= MOST_FACTS ? numbers : numbers.toSorted((a, b) => b[1] - a[1]).slice(0, MOST_FACTS);
  const rest = numbers.length - shown.length;
  const parts = shown.map(([key, value]) => `${key} ${value.toLocaleString('en')}`);
  return rest === 0 ? parts : [...parts, `and ${rest} more`];
}

const numbersOf = (facts: Facts): readonly (readonly [string, number])[] =>
  Object.entries(facts).flatMap(([key, value]): readonly (readonly [string, number])[] => {
    if (typeof value === 'number') return [[key, value]];
    return value !== null && typeof value === 'object' ? numbersOf(value) : [];
  });
