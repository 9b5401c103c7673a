import { expect, test } from 'vitest';
import { checksJson, formatChecks } from '../../src/report/checks-text.ts';

const checks = [
  { subject: 'target a', ok: true, warning: false, message: 'there', hint: null },
  { subject: 'target a', ok: true, warning: true, message: 'rows stay elsewhere', hint: 'capture them there' },
  { subject: 'target long', ok: false, warning: false, message: 'gone', hint: 'bring it back' },
];

test('checks are aligned, with a hint where there is one', () => {
  expect(formatChecks(checks, (_style, text) => text)).toBe(
    `ok    target a     there
warn  target a     rows stay elsewhere
      hint: capture them there
FAIL  target long  gone
      hint: bring it back
`,
  );
});

test('a warning does not fail', () => {
  expect(checksJson(checks.slice(0, 2))).toMatchObject({ ok: true });
  expect(checksJson(checks)).toMatchObject({ ok: false });
});
