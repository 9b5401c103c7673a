import type { ListedSnapshot } from '../reconcile/list-snapshots.ts';
import { formatBytes } from '../format-bytes.ts';
import { formatTable } from './table.ts';
import type { Paint, Tint } from './terminal.ts';

/** One line of `bkp list`. */
export type ListRow = ListedSnapshot;

const STATUS_TINTS: Readonly<Record<ListedSnapshot['status'], Tint>> = {
  creating: 'blue',
  created: 'green',
  partial: 'yellow',
  restoring: 'blue',
  incomplete: 'yellow',
};

/** The table of `bkp list`; backup and repository have columns only where they differ. */
export function formatList(rows: readonly ListRow[], paint: Paint): string {
  if (rows.length === 0) return 'No snapshots.\n';
  const columns = [
    column('ID', (row) => row.id),
    column('STATUS', (row) => row.status),
    column('CREATED AT', (row) => row.createdAt.slice(0, 19).replace('T', ' ')),
    column('SIZE', (row) => formatBytes(row.sizeBytes)),
    column('TARGETS', (row) => row.targets.join(',')),
    ...(differ(rows, 'backup') ? [column('BACKUP', (row) => row.backup)] : []),
    ...(differ(rows, 'repository') ? [column('REPOSITORY', (row) => row.repository)] : []),
    column('MARKS', marksOf),
  ];
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => columns.map(({ cell }) => cell(row)))];
  const lines = formatTable(cells, [3]).trimEnd().split('\n');
  return `${lines.map((line, index) => paintLine(line, rows[index - 1], paint)).join('\n')}\n`;
}

/** One line per snapshot, tab-separated, for scripts without a JSON parser. */
export function formatListPlain(rows: readonly ListRow[]): string {
  return rows
    .map((row) =>
      [
        row.id,
        row.status,
        row.createdAt,
        row.sizeBytes,
        row.targets.join(','),
        row.backup,
        row.repository,
        marksOf(row),
      ].join('\t'),
    )
    .map((line) => `${line}\n`)
    .join('');
}

const column = (
  title: string,
  cell: (row: ListRow) => string,
): { readonly title: string; readonly cell: (row: ListRow) => string } => ({ title, cell });

const differ = (rows: readonly ListRow[], key: 'backup' | 'repository'): boolean =>
  new Set(rows.map((row) => row[key])).size > 1;

function paintLine(line: string, snapshot: ListRow | undefined, paint: Paint): string {
  if (snapshot === undefined) return paint('bold', line);
  return line.replace(snapshot.status, paint(STATUS_TINTS[snapshot.status], snapshot.status));
}

function marksOf(snapshot: ListRow): string {
  return [
    snapshot.kind === 'backup' ? '' : snapshot.kind,
    snapshot.verifiedAt === null ? '' : 'verified',
    snapshot.damaged ? 'damaged' : '',
    snapshot.protected ? 'protected' : '',
  ]
    .filter((mark) => mark !== '')
    .join(',');
}
