import { formatBytes } from '../format-bytes.ts';
import type { ListedSnapshot } from '../reconcile/list-snapshots.ts';
import { formatInstant } from '../reconcile/phrases.ts';
import { formatTable } from './table.ts';
import type { Paint, Tint } from './terminal.ts';

const STATUS_TINTS: Readonly<Record<ListedSnapshot['status'], Tint>> = {
  creating: 'blue',
  created: 'green',
  partial: 'yellow',
  restoring: 'blue',
  incomplete: 'yellow',
  deleted: 'red',
};

/** A snapshot with every repository that has it in the same state. */
type Line = readonly [ListedSnapshot, ...ListedSnapshot[]];

/** The table of `bkp list`: one line per snapshot, with all repositories that hold it. */
export function formatList(rows: readonly ListedSnapshot[], paint: Paint): string {
  if (rows.length === 0) return 'No snapshots.\n';
  const lines = joinCopies(rows);
  const header = ['ID', 'STATUS', 'CREATED AT', 'SIZE', 'STORED', 'TARGETS', 'BACKUP', 'REPOSITORIES', 'MARKS'];
  const cells = lines.map((line) => [
    line[0].id,
    line[0].status,
    formatInstant(line[0].createdAt),
    sizeText(line[0], line[0].sizeBytes),
    // Copies for other readers differ by a little.
    sizeText(line[0], Math.max(...line.map(({ storedBytes }) => storedBytes))),
    line[0].targets.join(','),
    line[0].backup,
    line.map((row) => row.repository).join(','),
    marksOf(line),
  ]);
  const text = formatTable([header, ...cells], [3, 4])
    .trimEnd()
    .split('\n');
  return `${text.map((line, index) => paintLine(line, lines[index - 1]?.[0], paint)).join('\n')}\n`;
}

const sizeText = ({ status }: ListedSnapshot, bytes: number): string =>
  status === 'creating' || status === 'incomplete' ? '-' : formatBytes(bytes);

/** One line per snapshot and repository, tab-separated, for scripts without a JSON parser. */
export function formatListPlain(rows: readonly ListedSnapshot[]): string {
  return rows
    .map((row) => [
      row.id,
      row.status,
      row.createdAt,
      row.sizeBytes,
      row.targets.join(','),
      row.backup,
      row.repository,
      marksOf([row]),
      row.storedBytes,
    ])
    .map((cells) => `${cells.join('\t')}\n`)
    .join('');
}

function joinCopies(rows: readonly ListedSnapshot[]): readonly Line[] {
  const lines = new Map<string, [ListedSnapshot, ...ListedSnapshot[]]>();
  for (const row of rows) {
    const key = [row.backup, row.id, row.status, row.sizeBytes].join('\n');
    const line = lines.get(key);
    if (line === undefined) lines.set(key, [row]);
    else line.push(row);
  }
  return [...lines.values()];
}

function paintLine(line: string, snapshot: ListedSnapshot | undefined, paint: Paint): string {
  if (snapshot === undefined) return paint('bold', line);
  return line
    .replace(snapshot.status, paint(STATUS_TINTS[snapshot.status], snapshot.status))
    .replaceAll(/(?:DAMAGED|UNSIGNED)(?:@[\w-]+)?/g, (mark) => paint('red', mark));
}

/** What is known of a snapshot; where only some of its repositories say so, `mark@repository`. */
function marksOf(line: Line): string {
  const marks: readonly (readonly [string, (row: ListedSnapshot) => boolean])[] = [
    [line[0].kind, (row) => row.kind !== 'backup'],
    ['reference', (row) => row.reference],
    ['UNSIGNED', (row) => row.unsigned],
    ['DAMAGED', (row) => row.damaged],
    ['verified', (row) => row.verifiedAt !== null && !row.damaged],
    ['protected', (row) => row.protected],
  ];
  return marks
    .flatMap(([mark, holds]) => {
      const holders = line.filter(holds);
      if (holders.length === 0) return [];
      return [
        holders.length === line.length ? mark : holders.map(({ repository }) => `${mark}@${repository}`).join(','),
      ];
    })
    .join(',');
}
