import { describe, expect, it } from 'vitest';
import { formatBytes } from '../../src/format-bytes.ts';
import type { ListedSnapshot } from '../../src/reconcile/list-snapshots.ts';
import { formatList, formatListPlain } from '../../src/report/list-table.ts';
import { formatTable } from '../../src/report/table.ts';
import { colourPaint, plainPaint } from '../../src/report/terminal.ts';

describe('formatTable', () => {
  it('aligns what a terminal shows, not what JavaScript counts', () => {
    expect(
      formatTable(
        [
          ['日本', 'a', '1'],
          ['é', 'bb', '22'],
          ['👨‍👩‍👧', '', '3'],
        ],
        [2],
      ),
    ).toBe(['日本  a    1', 'é     bb  22', '👨‍👩‍👧         3', ''].join('\n'));
  });

  it('leaves no blanks at the end, and no line where there are no rows', () => {
    expect(
      formatTable([
        ['a', ''],
        ['long', ''],
      ]),
    ).toBe('a\nlong\n');
    expect(formatTable([])).toBe('');
  });
});

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [1, '1 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [20_480, '20.0 KiB'],
    [102_399, '100 KiB'],
    [1_048_575, '1.0 MiB'],
    [432_013_312, '412 MiB'],
    [1_395_864_371, '1.3 GiB'],
    [2 ** 60, '1024 PiB'],
  ])('%d is %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));
});

const row = (parts: Partial<ListedSnapshot>): ListedSnapshot => ({
  id: '20261119T020000Z-aaaaaaaa',
  backup: 'shop',
  repository: 'near',
  kind: 'backup',
  status: 'created',
  createdAt: '2026-11-19T02:00:00.000Z',
  sizeBytes: 432_013_312,
  storedBytes: 64_000_000,
  targets: ['db', 'tree'],
  verifiedAt: null,
  drilledAt: null,
  protected: false,
  damaged: false,
  unsigned: false,
  reference: false,
  ...parts,
});

const ROWS: readonly ListedSnapshot[] = [
  row({
    id: '20261120T020000Z-bbbbbbbb',
    status: 'creating',
    sizeBytes: 0,
    targets: [],
    createdAt: '2026-11-20T02:00:03.000Z',
  }),
  row({ verifiedAt: '2026-11-19T03:00:00.000Z' }),
  row({ repository: 'far', damaged: true, protected: true }),
  row({ id: '20261118T020000Z-cccccccc', kind: 'adopted', status: 'partial', sizeBytes: 12, backup: 'other-shop' }),
];

describe('bkp list', () => {
  it('shows one line per snapshot; what only some repositories say names them', () => {
    expect(formatList(ROWS, plainPaint)).toMatchInlineSnapshot(`
      "ID                         STATUS    CREATED AT               SIZE    STORED  TARGETS  BACKUP      REPOSITORIES  MARKS
      20261120T020000Z-bbbbbbbb  creating  2026-11-20T02:00:03Z        -         -           shop        near
      20261119T020000Z-aaaaaaaa  created   2026-11-19T02:00Z     412 MiB  61.0 MiB  db,tree  shop        near,far      DAMAGED@far,verified@near,protected@far
      20261118T020000Z-cccccccc  partial   2026-11-19T02:00Z        12 B  61.0 MiB  db,tree  other-shop  near          adopted
      "
    `);
  });

  it('paints the status and what is wrong', () => {
    const text = formatList(ROWS, colourPaint);
    expect(text).toContain('\u001B[32mcreated\u001B[39m');
    expect(text).toContain('\u001B[31mDAMAGED@far\u001B[39m');
  });

  it('has one line per snapshot and repository for scripts', () => {
    const lines = formatListPlain(ROWS).trimEnd().split('\n');
    expect(lines).toHaveLength(4);
    expect(lines[2]).toBe(
      '20261119T020000Z-aaaaaaaa\tcreated\t2026-11-19T02:00:00.000Z\t432013312\tdb,tree\tshop\tfar\tDAMAGED,protected\t64000000',
    );
  });

  it('says that there are none', () => expect(formatList([], plainPaint)).toBe('No snapshots.\n'));
});
