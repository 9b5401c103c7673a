import { expect, test } from 'vitest';
import { cleanStderr, createRedactor } from '../../src/system/redact.ts';
import { createTailBuffer } from '../../src/system/tail-buffer.ts';

test('secrets are masked also where they were encoded, longer ones first', () => {
  const redactor = createRedactor(['pass word/1', 'pass word/1 and more', 'short']);
  redactor.register(['quo"ted-secret']);
  const text = 'pass word/1 and more; pass%20word%2F1; quo\\"ted-secret; short';
  expect(redactor.redact(text)).toBe('***; ***; ***; short');
});

test('data rows and empty lines are dropped, the last lines stay', () => {
  const lines = Array.from({ length: 300 }, (_, at) => `line ${at}`);
  const text = ['(1, 2),', '  INSERT INTO t VALUES (1)', '', ...lines, 'ERROR: no'].join('\n');
  const clean = cleanStderr(text, createRedactor()).split('\n');
  expect(clean).toHaveLength(100);
  expect(clean.at(-1)).toBe('ERROR: no');
  expect(cleanStderr('(1, 2)\nINSERT x\nfine\r\n', createRedactor())).toBe('fine');
});

test('a tail never begins in the middle of a line, which could be half a secret', () => {
  const tail = createTailBuffer(50);
  for (let at = 0; at < 100; at += 1) tail.push(Buffer.from(`secret-number-${at}\n`));
  expect(tail.text()).toBe('secret-number-98\nsecret-number-99\n');
  const short = createTailBuffer(50);
  short.push(Buffer.from('one\ntwo'));
  expect(short.text()).toBe('one\ntwo');
});
