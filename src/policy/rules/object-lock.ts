import type { Diagnostic } from '../../errors.ts';
import type { Retention } from '../../generated/policy.ts';
import { parseDuration } from '../../duration.ts';
import { diagnose } from '../diagnose.ts';
import type { BackupSettings, Entry, PolicySet } from '../policy-set.ts';
import { intervalOf } from './copies.ts';

const DAY_MS = 86_400_000;

/** What is kept longer than it is locked can be deleted by an attacker while it is still wanted. */
export function checkObjectLock(set: PolicySet): readonly Diagnostic[] {
  return set.repositories.flatMap(({ name, value, document, path }) => {
    if (!('objectLock' in value) || value.objectLock === undefined) return [];
    const { days } = value.objectLock;
    const kept = set.backups
      .filter((backup) => backup.value.repositories?.includes(name) === true)
      .map((backup) => ({ backup: backup.name, days: keptDays(backup) }))
      .toSorted((a, b) => b.days - a.days);
    const [longest] = kept;
    if (longest === undefined || longest.days <= days) return [];
    const place = { document, path: [...path, 'objectLock', 'days'], part: 'value' } as const;
    const message = `objects of "${name}" are locked for ${days}d, retention of backup "${longest.backup}" keeps them for ${longest.days}d`;
    const hint = `lock for ${longest.days} days, or know that older snapshots can be deleted by who has the credentials`;
    return [diagnose('BKP2047', place, message, hint)];
  });
}

const DAYS_OF = { hourly: 1 / 24, daily: 1, weekly: 7, monthly: 30, yearly: 365 } as const;

/** How long a retention keeps a snapshot at least, in days; zero where it keeps all for good, which no lock can. */
function keptDays(entry: Entry<BackupSettings>): number {
  const { retention } = entry.value;
  if (retention === undefined) return 0;
  const counted = Object.entries(DAYS_OF).map(([rule, days]) => (retention[rule as keyof typeof DAYS_OF] ?? 0) * days);
  return Math.ceil(Math.max(...counted, withinDays(retention), lastDays(entry, retention)));
}

const withinDays = ({ within }: Retention): number =>
  within === undefined ? 0 : (parseDuration(within) ?? 0) / DAY_MS;

const lastDays = (entry: Entry<BackupSettings>, { keepLast = 0 }: Retention): number =>
  (keepLast * (intervalOf(entry) ?? 0)) / DAY_MS;
