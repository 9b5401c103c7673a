import stringWidth from 'fast-string-width';
import type { Diagnostic } from '../errors.ts';
import type { Paint } from './terminal.ts';

const MOST_SHOWN = 20;
const WIDEST_LINE = 160;

/**
 * Problems for people: position, code and message, the source lines with a caret run, and what to do. In the order
 * given; at most twenty, with the total.
 */
export function diagnosticsText(diagnostics: readonly Diagnostic[], paint: Paint): string {
  if (diagnostics.length === 0) return '';
  const shown = diagnostics.slice(0, MOST_SHOWN).map((diagnostic) => diagnosticText(diagnostic, paint));
  return `${shown.join('\n')}\n${totals(diagnostics)}\n`;
}

/** `3 errors, 1 warning`, and how many of them are shown. */
function totals(diagnostics: readonly Diagnostic[]): string {
  const { errors, warnings } = countDiagnostics(diagnostics);
  const parts = [plural(errors, 'error'), plural(warnings, 'warning')].filter((part) => !part.startsWith('0 '));
  const hidden = diagnostics.length - MOST_SHOWN;
  return hidden > 0 ? `${parts.join(', ')}; the first ${MOST_SHOWN} are shown` : parts.join(', ');
}

export interface DiagnosticCounts {
  readonly errors: number;
  readonly warnings: number;
}

export function countDiagnostics(diagnostics: readonly Diagnostic[]): DiagnosticCounts {
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  return { errors, warnings: diagnostics.length - errors };
}

export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

function diagnosticText(diagnostic: Diagnostic, paint: Paint): string {
  const { file, range, code, severity, message, hint } = diagnostic;
  const tint = severity === 'error' ? 'red' : 'yellow';
  const mark = severity === 'warning' ? `${paint('yellow', 'warning:')} ` : '';
  const lines = [
    `${paint('bold', `${file}:${range.start.line}:${range.start.column}`)} ${paint(tint, code)} ${mark}${printable(message)}`,
    ...frame(
      diagnostic,
      (text) => paint(tint, text),
      (text) => paint('dim', text),
    ),
  ];
  if (hint !== null) lines.push(`${paint('cyan', 'help:')} ${printable(hint)}`);
  return `${lines.join('\n')}\n`;
}

type Tint = (text: string) => string;

function frame({ snippet, range }: Diagnostic, strong: Tint, dim: Tint): readonly string[] {
  const width = String(snippet.firstLine + snippet.lines.length - 1).length;
  const from = range.start.column > WIDEST_LINE - 20 ? range.start.column - 40 : 0;
  return snippet.lines.flatMap((line, index) => {
    const number = snippet.firstLine + index;
    const text = printable(line.slice(from, from + WIDEST_LINE));
    const source = `${dim(`${String(number).padStart(width)} |`)} ${text}`.trimEnd();
    if (number !== range.start.line) return [source];
    const before = stringWidth(printable(line.slice(from, range.start.column - 1)));
    const marked = stringWidth(printable(line.slice(range.start.column - 1, range.end.column - 1)));
    const run = '^'.repeat(Math.max(1, Math.min(marked, WIDEST_LINE)));
    return [source, `${dim(`${' '.repeat(width)} |`)} ${' '.repeat(before)}${strong(run)}`];
  });
}

/** Control characters of a file must not reach a terminal. */
function printable(text: string): string {
  return text.replaceAll('\t', ' ').replaceAll(/\p{Cc}|\p{Cf}/gu, '\u{FFFD}');
}
