import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/event.ts';
import { reportEvents, reportNdjson, reportWarnings } from '../../src/report/run-events.ts';
import { recordingTerminal } from '../commands/recording-terminal.ts';

const MEBIBYTE = 2 ** 20;
const progress = (bytes: number, totalBytes: number | null): RunEvent => ({
  type: 'progress',
  subject: 'db',
  bytes,
  totalBytes,
});

const EVENTS: readonly RunEvent[] = [
  { type: 'waiting', message: 'for the lease of shop' },
  { type: 'step-started', stepId: 's1', action: 'create', address: 'shop@near' },
  { type: 'hook', phase: 'before', argv: ['systemctl', 'stop', 'shop'], ok: true, message: null },
  progress(10 * MEBIBYTE, 100 * MEBIBYTE),
  {
    type: 'target-finished',
    target: 'db',
    status: 'captured',
    rawBytes: 432_013_312,
    storedBytes: 64_000_000,
    message: null,
    hint: null,
  },
  {
    type: 'target-finished',
    target: 'tree',
    status: 'failed',
    rawBytes: 0,
    storedBytes: 0,
    message: 'no such folder',
    hint: 'correct `paths`',
  },
  { type: 'hook', phase: 'after', argv: ['false'], ok: false, message: 'exited 1' },
  { type: 'warning', message: 'tree changed while it was read' },
  { type: 'note', message: 'captured once more' },
  {
    type: 'step-finished',
    stepId: 's1',
    action: 'create',
    address: 'shop@near',
    outcome: 'partial',
    snapshot: '20261119T020000Z-aaaaaaaa',
    message: 'tree: no such folder',
    hint: 'is it mounted?',
    durationMs: 125_000,
  },
];

describe('reportEvents', () => {
  it('writes one plain line per event into a pipe, and no small progress', () => {
    const terminal = recordingTerminal();
    const reporter = reportEvents(terminal);
    for (const event of EVENTS) reporter.emit(event);
    reporter.close();
    expect(terminal.written.err).toMatchInlineSnapshot(`
      "waiting     for the lease of shop
      start       create shop@near
        hook      before: systemctl stop shop
        captured  db  412 MiB, stored 61.0 MiB
        failed    tree  no such folder
        hint      correct \`paths\`
        hook failed after: false exited 1
      warning     tree changed while it was read
                  captured once more
      partial     create shop@near  20261119T020000Z-aaaaaaaa: tree: no such folder (2m 5s)
      hint        is it mounted?
      "
    `);
    expect(terminal.written.out).toBe('');
  });

  it('writes a line into a pipe for each gibibyte', () => {
    const terminal = recordingTerminal();
    const reporter = reportEvents(terminal);
    for (let bytes = 0; bytes < 2_500 * MEBIBYTE; bytes += 100 * MEBIBYTE) reporter.emit(progress(bytes, null));
    expect(terminal.written.err).toBe('            db 1.1 GiB\n            db 2.1 GiB\n');
  });

  it('draws one line of progress on a screen and takes it away before anything else', () => {
    const terminal = recordingTerminal('screen');
    const reporter = reportEvents(terminal);
    for (const event of EVENTS) reporter.emit(event);
    const [before, drawn, ...after] = terminal.written.err.split('\r\u001B[2K');
    expect(before).toContain('systemctl stop shop\n');
    expect(drawn).toContain('db [##------------------] 10% 10.0 MiB');
    expect(drawn).not.toContain('\n');
    expect(after).toHaveLength(1);
    expect(after[0]).toContain('captured');
    reporter.emit(progress(20 * MEBIBYTE, 100 * MEBIBYTE));
    reporter.close();
    expect(terminal.written.err.endsWith('\r\u001B[2K')).toBe(true);
  });

  it('shows no bar once there is more than was expected: nobody knows how much is left', () => {
    const terminal = recordingTerminal('screen');
    reportEvents(terminal).emit(progress(120 * MEBIBYTE, 100 * MEBIBYTE));
    expect(terminal.written.err).toContain('db 120 MiB');
    expect(terminal.written.err).not.toContain('%');
  });

  it('draws no more often than something to see has moved', () => {
    const terminal = recordingTerminal('screen');
    const reporter = reportEvents(terminal);
    for (let bytes = 0; bytes <= 1_000 * MEBIBYTE; bytes += MEBIBYTE / 4)
      reporter.emit(progress(bytes, 1_000 * MEBIBYTE));
    expect(terminal.written.err.split('\r').length).toBeLessThanOrEqual(202);
  });
});

describe('reportNdjson', () => {
  it('writes every event as a line, progress now and then', () => {
    const terminal = recordingTerminal();
    const reporter = reportNdjson(terminal);
    for (const event of EVENTS) reporter.emit(event);
    for (let bytes = 0; bytes <= 4_000 * MEBIBYTE; bytes += MEBIBYTE) reporter.emit(progress(bytes, 4_000 * MEBIBYTE));
    const lines = terminal.written.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as RunEvent);
    expect(lines[0]).toEqual({ formatVersion: 1, type: 'run' });
    expect(lines.filter(({ type }) => type !== 'progress').slice(1)).toEqual(
      EVENTS.filter(({ type }) => type !== 'progress'),
    );
    expect(lines.filter(({ type }) => type === 'progress').length).toBeLessThanOrEqual(21);
    expect(terminal.written.err).toBe('');
  });
});

describe('reportWarnings', () => {
  it('says warnings and nothing else', () => {
    const terminal = recordingTerminal();
    const reporter = reportWarnings(terminal);
    for (const event of EVENTS) reporter.emit(event);
    expect(terminal.written).toEqual({ out: '', err: 'warning: tree changed while it was read\n' });
  });
});
