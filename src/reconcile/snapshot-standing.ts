import { snapshotFolder } from '../snapshots/keys.ts';
import { isDamaged, protection, verifiedAt } from '../snapshots/standing.ts';
import type { FoundSnapshot } from './find-snapshot.ts';
import { formatInstant } from './phrases.ts';

/** One repository that has a snapshot: where its files lie and what is known of them there. */
export interface SnapshotStanding {
  readonly repository: string;
  readonly folder: string;
  readonly isDamaged: boolean;
  /** Why it does not count where the policy asks for signatures; null where it does. */
  readonly unsigned: string | null;
  /** `verified 2026-11-19T02:00Z, protected (before the upgrade)`; empty when there is nothing to say. */
  readonly marks: string;
}

/** What every repository that has a snapshot knows of it. */
export function standingsOf({ places, id }: FoundSnapshot): readonly SnapshotStanding[] {
  return places.map(({ name, repository, record }) => {
    const at = verifiedAt(record);
    const guarded = protection(record);
    const marks = [
      at === null ? '' : `verified ${formatInstant(at)}`,
      guarded === null ? '' : `protected${guarded.reason === '' ? '' : ` (${guarded.reason})`}`,
    ];
    return {
      repository: name,
      folder: `${repository.location}/${snapshotFolder(record.backup, id)}`,
      isDamaged: isDamaged(record),
      unsigned: record.unsigned ?? null,
      marks: marks.filter((part) => part !== '').join(', '),
    };
  });
}
