import type { Diagnostic } from '../errors.ts';
import { countDiagnostics } from './diagnostics.ts';

/** The same records for machines, all of them: shaped like the diagnostics of `terraform validate -json`. */
export function diagnosticsJson(diagnostics: readonly Diagnostic[], valid: boolean): Readonly<Record<string, unknown>> {
  const { errors, warnings } = countDiagnostics(diagnostics);
  return {
    formatVersion: 1,
    valid,
    errorCount: errors,
    warningCount: warnings,
    diagnostics: diagnostics.map(({ code, severity, message, hint, file, range, snippet }) => ({
      severity,
      code,
      message,
      hint,
      range: { filename: file, start: range.start, end: range.end },
      snippet: snippet.lines.length === 0 ? null : snippet,
    })),
  };
}
