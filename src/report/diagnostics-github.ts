import type { Diagnostic } from '../errors.ts';
import { plural } from './diagnostics.ts';

/** GitHub shows ten annotations of a kind per step and drops the rest without a word. */
const MOST_PER_KIND = 10;

/** Workflow commands that put each problem on its line of the pull request: errors first, at most ten of a kind. */
export function diagnosticsGithub(diagnostics: readonly Diagnostic[]): string {
  return (['error', 'warning'] as const)
    .flatMap((severity) => {
      const all = diagnostics.filter((diagnostic) => diagnostic.severity === severity);
      if (all.length <= MOST_PER_KIND) return all.map(annotation);
      const shown = all.slice(0, MOST_PER_KIND - 1);
      const more = all.length - shown.length;
      return [
        ...shown.map(annotation),
        `::${severity} title=bkp::${plural(more, `more ${severity}`)}: run bkp validate`,
      ];
    })
    .map((line) => `${line}\n`)
    .join('');
}

function annotation({ severity, code, message, hint, file, range }: Diagnostic): string {
  const properties = {
    file,
    line: range.start.line,
    col: range.start.column,
    endLine: range.end.line,
    endColumn: Math.max(range.start.column, range.end.column - 1),
    title: code,
  };
  const list = Object.entries(properties).map(([key, value]) => `${key}=${escapeProperty(String(value))}`);
  return `::${severity} ${list.join(',')}::${escapeData(hint === null ? message : `${message}\n${hint}`)}`;
}

const escapeData = (text: string): string =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
const escapeProperty = (text: string): string => escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
