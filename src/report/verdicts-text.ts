import { count } from '../reconcile/phrases.ts';
import { formatTable } from './table.ts';
import type { Paint } from './terminal.ts';

/** What a verification found about one snapshot in one repository. */
export interface Verdict {
  readonly snapshot: string;
  readonly repository: string;
  readonly ok: boolean;
  readonly deep: boolean;
  readonly reasons: readonly string[];
  /** Why its engines could not read it, where only its bytes were hashed instead. */
  readonly unread?: string;
}

/** One line per snapshot and repository, then the numbers. */
export function formatVerdicts(verdicts: readonly Verdict[], paint: Paint): string {
  if (verdicts.length === 0) return 'No snapshots to verify.\n';
  const lines = formatTable(
    verdicts.map(({ snapshot, repository, ok, deep, reasons, unread }) => [
      ok ? 'good' : 'DAMAGED',
      snapshot,
      repository,
      ok ? lookedAt(deep, unread) : reasons.join('; '),
    ]),
  ).replaceAll(/^(?:good|DAMAGED)/gm, (word) => paint(word === 'good' ? 'green' : 'red', word));
  const damaged = verdicts.filter(({ ok }) => !ok).length;
  const copies = count(verdicts.length, 'stored snapshot');
  return `${lines}${damaged === 0 ? paint('green', 'Good') : paint('red', 'Damaged')}: ${damaged === 0 ? copies : `${damaged} of ${copies}`}.\n`;
}

const lookedAt = (deep: boolean, unread: string | undefined): string =>
  deep ? 'read whole by its engines' : `every stored byte hashed${unread === undefined ? '' : `, not read: ${unread}`}`;
