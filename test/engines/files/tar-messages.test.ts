import { describe, expect, test } from 'vitest';
import type { ProcessEnd } from '../../../src/context.ts';
import { judgeCapture, judgeExtraction } from '../../../src/engines/files/tar-messages.ts';

const end = (exitCode: number | null, ...lines: readonly string[]): ProcessEnd => ({
  exitCode,
  signal: null,
  stderr: lines.join('\n'),
  stopped: false,
});
const FINAL = 'tar: Exiting with failure status due to previous errors';

describe('the end of a capture', () => {
  test.each<[string, ProcessEnd, unknown]>([
    ['no word', end(0), { verdict: 'ok', warnings: [] }],
    ['a socket', end(0, 'tar: a/s: socket ignored'), { verdict: 'ok', warnings: ['a/s: socket ignored'] }],
    [
      'another file system',
      end(0, 'tar: a/m: file is on a different filesystem; not dumped'),
      { verdict: 'ok', warnings: [] },
    ],
    [
      'a folder of another file system',
      end(0, 'tar: a/m: directory is on a different filesystem; not dumped'),
      { verdict: 'ok', warnings: [] },
    ],
    ['a change', end(1, 'tar: a: file changed as we read it'), { verdict: 'retry' }],
    [
      'a change and a socket',
      end(1, 'tar: s: socket ignored', 'tar: a: File removed before we read it'),
      { verdict: 'retry' },
    ],
    [
      'a listed file that vanished',
      end(2, 'tar: a: Cannot stat: No such file or directory', FINAL),
      { verdict: 'retry' },
    ],
    ['an exit code without a reason', end(1), { verdict: 'failed', reason: 'tar ended with 1' }],
    [
      'an unreadable file',
      end(2, 'tar: a: Cannot open: Permission denied', FINAL),
      { verdict: 'failed', reason: 'a: Cannot open: Permission denied', hint: expect.stringContaining('root') },
    ],
    [
      'an unreadable file among changes',
      end(
        2,
        'tar: a: file changed as we read it',
        'tar: b: Cannot open: Permission denied',
        'tar: c: Cannot open: Permission denied',
        FINAL,
      ),
      { verdict: 'failed', reason: 'b: Cannot open: Permission denied (and 1 more)' },
    ],
    [
      'a read error',
      end(2, 'tar: a: Read error at byte 0, while reading 512 bytes: Input/output error', FINAL),
      { verdict: 'failed' },
    ],
    [
      'bsdtar and a file that vanished',
      end(1, 'tar: a: Cannot stat: No such file or directory', 'tar: Error exit delayed from previous errors.'),
      { verdict: 'retry' },
    ],
    ['bsdtar and an unreadable file', end(1, 'bsdtar: a: Cannot open: Permission denied'), { verdict: 'failed' }],
  ])('%s', (_, ended, judgement) => {
    expect(judgeCapture(ended, [])).toMatchObject(judgement as object);
  });

  test('so many messages that some may be missing are no reason to trust', () => {
    const lines = Array.from({ length: 100 }, (_, index) => `tar: ${index}: Cannot stat: No such file or directory`);
    expect(judgeCapture(end(2, ...lines), []).verdict).toBe('failed');
    expect(judgeCapture(end(2, ...lines.slice(2)), []).verdict).toBe('retry');
  });

  test('a signal is never good', () => {
    expect(judgeCapture({ exitCode: null, signal: 'SIGKILL', stderr: '', stopped: false }, [])).toMatchObject({
      reason: 'tar was stopped by SIGKILL',
    });
  });

  test('warnings are few', () => {
    const lines = Array.from({ length: 50 }, (_, index) => `tar: ${index}: socket ignored`);
    const judgement = judgeCapture(end(0, ...lines), ['first']);
    expect(judgement.verdict === 'ok' && judgement.warnings).toHaveLength(22);
    expect(judgement.verdict === 'ok' && judgement.warnings.at(-1)).toBe('and 30 more lines of tar');
  });
});

test('the end of an extraction', () => {
  expect(judgeExtraction(end(0, "tar: a: Cannot set 'x' attribute"))).toEqual({
    verdict: 'ok',
    warnings: ["a: Cannot set 'x' attribute"],
  });
  expect(judgeExtraction(end(2, 'tar: a: Cannot write: No space left on device', FINAL))).toEqual({
    verdict: 'failed',
    reason: 'a: Cannot write: No space left on device',
    hint: 'make room there, or choose another place',
  });
});
