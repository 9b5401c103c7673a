import stringWidth from 'fast-string-width';

/** Pads to a display width; wide and combining characters count as a terminal shows them. */
export const pad = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - stringWidth(text)));

/**
 * Rows as aligned columns, two spaces apart, no trailing spaces, one line each with a newline. `right` names columns
 * aligned to the right.
 */
export function formatTable(rows: readonly (readonly string[])[], right: readonly number[] = []): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, stringWidth(cell));
    });
  }
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => alignCell(cell, widths[column] ?? 0, right.includes(column)))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

const alignCell = (cell: string, width: number, toTheRight: boolean): string =>
  toTheRight ? ' '.repeat(Math.max(0, width - stringWidth(cell))) + cell : pad(cell, width);
