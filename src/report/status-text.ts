import { groupNotices, othersText } from './notice-groups.ts';
import { formatBytes } from '../format-bytes.ts';
import { count, formatDuration, formatInstant } from '../reconcile/phrases.ts';
import type { BackupStatus, Status } from '../reconcile/status.ts';
import type { PlanNotice } from '../reconcile/step.ts';
import { formatTable } from './table.ts';
import type { Paint, Tint } from './terminal.ts';

const TINTS: Readonly<Record<BackupStatus['state'], Tint>> = {
  good: 'green',
  late: 'red',
  missing: 'red',
  disabled: 'dim',
  unknown: 'yellow',
};

/** The status of every backup as a table, then everything that is wrong in sentences, then the verdict. */
export function formatStatus(status: Status, paint: Paint): string {
  const header = ['BACKUP', 'STATE', 'LAST GOOD', 'AGE', 'DUE', 'NEXT', 'COPIES', 'SIZE', 'STORED'];
  const instant = (at: string | null): string => (at === null ? '-' : formatInstant(at));
  const rows = status.backups.map((backup) => [
    backup.backup,
    backup.state,
    backup.lastGood ?? '-',
    backup.ageSeconds === null ? '-' : formatDuration(backup.ageSeconds * 1_000),
    instant(backup.dueAt),
    instant(backup.nextAt),
    `${backup.copies}/${backup.wantedCopies}`,
    backup.sizeBytes === null ? '-' : formatBytes(backup.sizeBytes),
    formatBytes(backup.storedBytes),
  ]);
  const lines = formatTable([header, ...rows], [7, 8])
    .trimEnd()
    .split('\n');
  const table = lines.map((line, index) => paintState(line, status.backups[index - 1], paint)).join('\n');
  const notices = [
    ...status.errors.map((notice) => noticeText('error', 'red', notice, paint)),
    ...groupNotices(status.warnings).map((group) => {
      const { message, hint } = group.first;
      const whole = [message, othersText(group)].filter((part) => part !== undefined).join(', ');
      return noticeText('warning', 'yellow', { message: whole, hint }, paint);
    }),
    ...status.backups.flatMap((backup) => complaints(backup, paint)),
  ];
  return `${table}\n${notices.join('')}${verdict(status, notices.length, paint)}\n`;
}

function noticeText(
  label: string,
  tint: Tint,
  { message, hint }: Pick<PlanNotice, 'message' | 'hint'>,
  paint: Paint,
): string {
  const help = hint === null ? '' : `${paint('cyan', 'hint:')} ${hint}\n`;
  return `${paint(tint, `${label}:`)} ${message}\n${help}`;
}

function complaints(backup: BackupStatus, paint: Paint): readonly string[] {
  const { backup: name, state, copies, wantedCopies, dueAt, lastError } = backup;
  if (state === 'disabled') return [];
  return [
    state === 'late' ? `${name} is late: nothing good since it was due ${formatInstant(dueAt ?? '')}` : '',
    state === 'missing' ? `${name} has no good snapshot` : '',
    state !== 'missing' && state !== 'unknown' && copies < wantedCopies
      ? `${name} has its last good snapshot in ${copies} of ${count(wantedCopies, 'repository', 'repositories')}`
      : '',
    lastError === null ? '' : `${name} failed ${formatInstant(lastError.at)}: ${lastError.message}`,
  ]
    .filter((sentence) => sentence !== '')
    .map((sentence) => `${paint('red', 'wrong:')} ${sentence}\n`);
}

function verdict(status: Status, complaintCount: number, paint: Paint): string {
  if (status.healthy) return paint('green', complaintCount === 0 ? 'All is well.' : 'All is well now.');
  return `${paint('red', 'Not all is well.')} \`bkp plan\` shows what would be done about it.`;
}

function paintState(line: string, backup: BackupStatus | undefined, paint: Paint): string {
  if (backup === undefined) return paint('bold', line);
  return line.replace(`  ${backup.state}`, `  ${paint(TINTS[backup.state], backup.state)}`);
}
