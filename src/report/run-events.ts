import type { RunEvent } from '../event.ts';
import { formatDuration } from '../reconcile/phrases.ts';
import { formatBytes } from '../format-bytes.ts';
import { pad } from './table.ts';
import type { Terminal } from './terminal.ts';

/** What draws the events of a run; `close` leaves the screen clean. */
export interface EventReporter {
  readonly emit: (event: RunEvent) => void;
  close(): void;
}

/** One plain line per event on the error stream, and on a terminal one line of live progress below. */
export function reportEvents(terminal: Terminal): EventReporter {
  const progress = terminal.errIsTerminal ? liveLine(terminal) : undefined;
  const line = (text: string): void => {
    progress?.clear();
    terminal.err(`${text}\n`);
  };
  return {
    emit: (event) => {
      if (event.type === 'progress') progress?.show(event.subject, event.bytes, event.totalBytes);
      else describe(event, terminal, line);
    },
    close: () => progress?.clear(),
  };
}

/** Nothing but warnings: for `--format json`, whose events go elsewhere. */
export function reportWarnings(terminal: Terminal): EventReporter {
  return {
    emit: (event) => {
      if (event.type === 'warning') terminal.err(`${terminal.paintErr('yellow', 'warning:')} ${event.message}\n`);
    },
    close: () => undefined,
  };
}

/** Every event as one JSON line on the result stream; the first line carries the format version. */
export function reportNdjson(terminal: Terminal): EventReporter {
  terminal.out(`${JSON.stringify({ formatVersion: 1, type: 'run' })}\n`);
  return { emit: (event) => terminal.out(`${JSON.stringify(event)}\n`), close: () => undefined };
}

const OUTCOME_TINTS = {
  done: 'green',
  partial: 'yellow',
  failed: 'red',
  skipped: 'dim',
  'not-started': 'dim',
} as const;

function describe(
  event: Exclude<RunEvent, { type: 'progress' }>,
  terminal: Terminal,
  line: (text: string) => void,
): void {
  const paint = terminal.paintErr;
  switch (event.type) {
    case 'step-started':
      line(`${paint('dim', pad('start', 7))} ${event.action} ${event.address}`);
      return;
    case 'step-finished': {
      const took = event.durationMs >= 1_000 ? paint('dim', ` (${formatDuration(event.durationMs)})`) : '';
      const about = [event.snapshot, event.message].filter((part) => part !== null).join(': ');
      line(
        `${paint(OUTCOME_TINTS[event.outcome], pad(event.outcome, 7))} ${event.action} ${event.address}  ${about}${took}`.trimEnd(),
      );
      if (event.hint !== null) line(`        ${paint('dim', `hint: ${event.hint}`)}`);
      return;
    }
    case 'target-finished': {
      const size =
        event.status === 'captured'
          ? `${formatBytes(event.rawBytes)}, stored ${formatBytes(event.storedBytes)}`
          : (event.message ?? '');
      line(
        `        ${event.status === 'captured' ? paint('green', 'captured') : paint('red', 'failed')} ${event.target}  ${size}`,
      );
      return;
    }
    case 'hook':
      line(
        `        ${event.ok ? paint('dim', 'hook') : paint('red', 'hook failed')} ${event.phase}: ${event.argv.join(' ')}${event.message === null ? '' : ` ${event.message}`}`,
      );
      return;
    case 'waiting':
      line(`${paint('yellow', 'waiting')} ${event.message}`);
      return;
    case 'note':
      line(`        ${event.message}`);
      return;
    case 'warning':
      line(`${paint('yellow', 'warning')} ${event.message}`);
  }
}

function liveLine(terminal: Terminal): {
  show(subject: string, bytes: number, totalBytes: number | null): void;
  clear(): void;
} {
  const subjects = new Map<string, string>();
  let shown = false;
  return {
    show: (subject, bytes, totalBytes) => {
      const share = totalBytes === null || totalBytes === 0 ? '' : ` ${bar(bytes / totalBytes)}`;
      subjects.set(subject, `${subject}${share} ${formatBytes(bytes)}`);
      const text = [...subjects.values()].join('   ').slice(0, terminal.columns - 10);
      terminal.err(`\r\u001B[2K        ${terminal.paintErr('dim', text)}`);
      shown = true;
    },
    clear: () => {
      if (shown) terminal.err('\r\u001B[2K');
      shown = false;
      subjects.clear();
    },
  };
}

function bar(share: number): string {
  const full = Math.min(20, Math.max(0, Math.round(share * 20)));
  return `[${'#'.repeat(full)}${'-'.repeat(20 - full)}] ${Math.min(100, Math.round(share * 100))}%`;
}
