import { formatDuration, formatInstant } from '../reconcile/phrases.ts';
import type { BackupStatus, Status } from '../reconcile/status.ts';
import { formatTable } from './table.ts';
import type { Paint, Tint } from './terminal.ts';

const TINTS: Readonly<Record<BackupStatus['state'], Tint>> = {
  good: 'green',
  late: 'red',
  missing: 'red',
  disabled: 'dim',
  unknown: 'yellow',
};

/** The status of every backup as a table, then what else is wrong. */
export function formatStatus(status: Status, paint: Paint): string {
  const header = ['BACKUP', 'STATE', 'LAST GOOD', 'AGE', 'NEXT', 'COPIES'];
  const rows = status.backups.map((backup) => [
    backup.backup,
    backup.state,
    backup.lastGood ?? '-',
    backup.ageSeconds === null ? '-' : formatDuration(backup.ageSeconds * 1_000),
    backup.nextAt === null ? '-' : formatInstant(backup.nextAt),
    `${backup.copies}/${backup.wantedCopies}`,
  ]);
  const lines = formatTable([header, ...rows])
    .trimEnd()
    .split('\n');
  const table = lines.map((line, index) => paintState(line, status.backups[index - 1], paint)).join('\n');
  const errors = status.backups.flatMap(({ backup, lastError }) =>
    lastError === null
      ? []
      : [`${paint('red', 'last error')} ${backup}: ${lastError.message} (${formatInstant(lastError.at)})\n`],
  );
  const notices = [
    ...status.errors.map(({ message }) => `${paint('red', 'error')} ${message}\n`),
    ...status.warnings.map(({ message }) => `${paint('yellow', 'warning')} ${message}\n`),
  ];
  return `${table}\n${errors.join('')}${notices.join('')}`;
}

function paintState(line: string, backup: BackupStatus | undefined, paint: Paint): string {
  if (backup === undefined) return paint('bold', line);
  return line.replace(`  ${backup.state}`, `  ${paint(TINTS[backup.state], backup.state)}`);
}
