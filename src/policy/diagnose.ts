import type { Diagnostic } from '../errors.ts';
import { CODES, type ProblemCode } from './codes.ts';
import type { PolicyDocument } from './document.ts';
import { offsetsOf, rangeOf, type Part, type Path } from './locate.ts';
import type { SourcePosition } from './resolved-policy.ts';
import { maskLine, type Offsets } from './secret-text.ts';

/** Where a problem is: a key or value of a file, or a stretch of its text. */
export type Place =
  | { readonly document: PolicyDocument; readonly path: Path; readonly part: Part }
  | { readonly document: PolicyDocument; readonly at: Offsets };

const CONTEXT_LINES = 2;

/** One problem with its position, severity and masked source lines. */
export function diagnose(code: ProblemCode, place: Place, message: string, hint: string | null = null): Diagnostic {
  const { document } = place;
  const range = rangeOf(document, 'at' in place ? place.at : offsetsOf(document, place.path, place.part));
  return {
    code,
    severity: CODES[code].severity,
    message,
    hint,
    file: document.file,
    range,
    snippet: snippetOf(document, range.start.line),
  };
}

/** A problem at a known position whose text is not at hand. */
export function diagnosePosition(
  code: ProblemCode,
  at: SourcePosition,
  message: string,
  hint: string | null,
): Diagnostic {
  const { file, line, column } = at;
  const range = { start: { line, column }, end: { line, column: column + 1 } };
  return { code, severity: CODES[code].severity, message, hint, file, range, snippet: { firstLine: line, lines: [] } };
}

/** Sorted by file and position, without doubles. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const seen = new Map<string, Diagnostic>();
  for (const one of diagnostics) {
    const key = JSON.stringify([one.file, one.range.start, one.code, one.message]);
    if (!seen.has(key)) seen.set(key, one);
  }
  return [...seen.values()].toSorted(
    (a, b) =>
      compareText(a.file, b.file) ||
      a.range.start.line - b.range.start.line ||
      a.range.start.column - b.range.start.column ||
      compareText(a.code, b.code) ||
      compareText(a.message, b.message),
  );
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function snippetOf(document: PolicyDocument, line: number): Diagnostic['snippet'] {
  const starts = document.lineStarts;
  const firstLine = Math.max(1, line - CONTEXT_LINES);
  const lastLine = Math.min(starts.length, line + CONTEXT_LINES);
  const lines: string[] = [];
  for (let number = firstLine; number <= lastLine; number++) {
    const start = starts[number - 1] ?? 0;
    const text = document.text.slice(start, starts[number]).replace(/\r?\n$/, '');
    lines.push(maskLine(text, start, document.secrets, document.syntaxErrors.length > 0));
  }
  if (lastLine === starts.length && lines.at(-1) === '') lines.pop();
  return { firstLine, lines };
}
