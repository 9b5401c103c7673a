import type { Diagnostic } from '../../errors.ts';
import { REPOSITORY_FACTS } from '../../generated/schema-facts.ts';
import type { Retention } from '../../generated/policy.ts';
import { longestIntervalMs, cronProblem } from '../cron.ts';
import { diagnose } from '../diagnose.ts';
import { durationText, parseDuration } from '../../duration.ts';
import { settingPath, type BackupSettings, type Entry, type PolicySet } from '../policy-set.ts';

/** Enough copies, in enough places, for long enough: three copies, two media, one elsewhere. */
export function checkCopies(set: PolicySet): readonly Diagnostic[] {
  return [...placesOfCopies(set), ...shortRetention(set)];
}

function placesOfCopies(set: PolicySet): readonly Diagnostic[] {
  const local = new Set(
    set.repositories.filter(({ value }) => REPOSITORY_FACTS[value.type].local).map(({ name }) => name),
  );
  const known = new Set(set.repositories.map(({ name }) => name));
  return set.backups.flatMap((entry) => {
    const repositories = entry.value.repositories ?? [];
    if (repositories.length === 0 || !repositories.every((name) => known.has(name))) return [];
    const place = { document: entry.document, path: settingPath(entry, 'repositories'), part: 'key' } as const;
    const allLocal = repositories.every((name) => local.has(name));
    if (repositories.length === 1) {
      const where = allLocal ? ', on this machine' : '';
      return [
        diagnose(
          'BKP2043',
          place,
          `backup "${entry.name}" has one copy only${where}`,
          'name a second repository that does not fail together with the first',
        ),
      ];
    }
    return allLocal
      ? [
          diagnose(
            'BKP2044',
            place,
            `backup "${entry.name}" has no copy off this machine`,
            'name a repository elsewhere; a folder counts as this machine, also when it is mounted',
          ),
        ]
      : [];
  });
}

function shortRetention(set: PolicySet): readonly Diagnostic[] {
  return set.backups.flatMap((entry) => {
    const { retention } = entry.value;
    if (retention === undefined || holdsSeveral(retention)) return [];
    const intervalMs = intervalOf(entry);
    const withinMs = retention.within === undefined ? 0 : parseDuration(retention.within);
    if (intervalMs === undefined || withinMs === undefined || withinMs >= intervalMs) return [];
    const place = { document: entry.document, path: settingPath(entry, 'retention'), part: 'key' } as const;
    const message = `retention of backup "${entry.name}" holds less than one interval of its schedule (${durationText(intervalMs)}): only the newest snapshot stays`;
    return [diagnose('BKP2042', place, message, 'keep at least two, for example keepLast: 2')];
  });
}

/** Two kept snapshots are one interval apart; counting rules of 1 all keep the same, newest one. */
const holdsSeveral = ({ within: _within, ...counts }: Retention): boolean =>
  Object.values(counts).some((count) => typeof count === 'number' && count > 1);

/** The longest time between two ticks of a backup's schedule; undefined where it has none that can be read. */
export function intervalOf({ value: { schedule } }: Entry<BackupSettings>): number | undefined {
  if (schedule === undefined) return undefined;
  if (typeof schedule !== 'string') return parseDuration(schedule.every);
  return cronProblem(schedule) === undefined ? longestIntervalMs(schedule) : undefined;
}
