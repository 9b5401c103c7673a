import { describe, expect, it } from 'vitest';
import type { Diagnostic } from '../../src/errors.ts';
import { diagnosticsGithub } from '../../src/report/diagnostics-github.ts';
import { diagnosticsJson } from '../../src/report/diagnostics-json.ts';
import { diagnosticsText } from '../../src/report/diagnostics.ts';
import { plainPaint } from '../../src/report/terminal.ts';
import { examine, GOOD } from '../policy/policy-text.ts';

const problem = (parts: Partial<Diagnostic> = {}): Diagnostic => ({
  code: 'BKP1002',
  severity: 'error',
  message: 'unknown key "dayly" in retention; did you mean "daily"?',
  hint: null,
  file: 'bkp.yaml',
  range: { start: { line: 8, column: 3 }, end: { line: 8, column: 8 } },
  snippet: { firstLine: 8, lines: ['  dayly: 7'] },
  ...parts,
});
const many = (count: number, severity: Diagnostic['severity']): readonly Diagnostic[] =>
  Array.from({ length: count }, (_, index) => problem({ severity, message: `problem ${index}` }));

describe('diagnostics as text', () => {
  it('show the position, two lines around it, a caret run and help', async () => {
    const { diagnostics } = await examine(GOOD.replace('{ keepLast: 2, daily: 7 }', '\n    keepLast: 2\n    dayly: 7'));
    const text = diagnosticsText(
      diagnostics.filter(({ code }) => code === 'BKP1002'),
      plainPaint,
    );
    expect(text).toBe(`bkp.yaml:12:5 BKP1002 unknown key "dayly" in retention; did you mean "daily"?
10 |   retention:
11 |     keepLast: 2
12 |     dayly: 7
   |     ^^^^^
13 | backups:
14 |   app:
help: retention may hold: keepLast, hourly, daily, weekly, monthly, yearly, within

1 error
`);
  });

  it('put carets under wide characters', () => {
    const lines = ['名前: "日本" x'];
    const text = diagnosticsText(
      [
        problem({
          range: { start: { line: 8, column: 5 }, end: { line: 8, column: 9 } },
          snippet: { firstLine: 8, lines },
        }),
      ],
      plainPaint,
    );
    expect(text.split('\n').slice(1, 3)).toEqual(['8 | 名前: "日本" x', '  |       ^^^^^^']);
  });

  it('keep control characters from the terminal', () => {
    const lines = ['a: \u001b[31mred\u001b[0m\u0007\u202e'];
    const text = diagnosticsText([problem({ message: 'bad \u001b[2J', snippet: { firstLine: 8, lines } })], plainPaint);
    expect(/[^\n\P{C}]/u.test(text)).toBe(false);
  });

  it('show a window of an endless line', () => {
    const lines = [`${'x'.repeat(5000)}dayly${'y'.repeat(5000)}`];
    const range = { start: { line: 8, column: 5001 }, end: { line: 8, column: 5006 } };
    const [, source = '', caret = ''] = diagnosticsText(
      [problem({ range, snippet: { firstLine: 8, lines } })],
      plainPaint,
    ).split('\n');
    expect(source.length).toBeLessThan(200);
    expect(source.slice(caret.indexOf('^'), caret.lastIndexOf('^') + 1)).toBe('dayly');
  });

  it('stop after twenty and tell the total', () => {
    const text = diagnosticsText([...many(21, 'error'), ...many(3, 'warning')], plainPaint);
    expect(text.match(/BKP1002/g)).toHaveLength(20);
    expect(text).toMatch(/\n21 errors, 3 warnings; the first 20 are shown\n$/);
  });

  it('mark warnings', () => {
    expect(diagnosticsText([problem({ severity: 'warning' })], plainPaint)).toMatch(
      /^bkp\.yaml:8:3 BKP1002 warning: unknown key/,
    );
  });
});

describe('diagnostics for machines', () => {
  it('are all there as JSON', () => {
    const json = diagnosticsJson(
      [...many(30, 'error'), problem({ severity: 'warning', snippet: { firstLine: 1, lines: [] } })],
      false,
    );
    expect(json).toMatchObject({ formatVersion: 1, valid: false, errorCount: 30, warningCount: 1 });
    expect((json['diagnostics'] as unknown[]).at(-1)).toEqual({
      severity: 'warning',
      code: 'BKP1002',
      message: 'unknown key "dayly" in retention; did you mean "daily"?',
      hint: null,
      range: { filename: 'bkp.yaml', start: { line: 8, column: 3 }, end: { line: 8, column: 8 } },
      snippet: null,
    });
  });

  it('are annotations: errors first, ten of a kind', () => {
    const lines = diagnosticsGithub([...many(12, 'warning'), ...many(11, 'error')])
      .trimEnd()
      .split('\n');
    expect(lines).toHaveLength(20);
    expect(lines.slice(0, 10).every((line) => line.startsWith('::error '))).toBe(true);
    expect(lines[9]).toBe('::error title=bkp::2 more errors: run bkp validate');
    expect(lines[19]).toBe('::warning title=bkp::3 more warnings: run bkp validate');
  });

  it('escape what would end an annotation', () => {
    const text = diagnosticsGithub([problem({ file: 'a,b:c.yaml', message: '100 %\r\nx', hint: 'do: this' })]);
    expect(text).toBe(
      '::error file=a%2Cb%3Ac.yaml,line=8,col=3,endLine=8,endColumn=7,title=BKP1002::100 %25%0D%0Ax%0Ado: this\n',
    );
  });
});
