import type { RunEvent } from '../event.ts';
import { commandLine, formatDuration } from '../reconcile/phrases.ts';
import { formatBytes } from '../format-bytes.ts';
import { pad } from './table.ts';
import type { Terminal, Tint } from './terminal.ts';

type ProgressEvent = Extract<RunEvent, { type: 'progress' }>;

/** What draws the events of a run; `close` leaves the screen clean. */
export interface EventReporter {
  readonly emit: (event: RunEvent) => void;
  close(): void;
}

/** One plain line per event on the error stream; progress is a live line on a terminal, and rare lines elsewhere. */
export function reportEvents(terminal: Terminal): EventReporter {
  const progress = terminal.errIsTerminal ? liveLine(terminal) : undefined;
  const isDue = progress === undefined ? progressGate(10, GIBIBYTE) : progressGate(200, MEBIBYTE);
  const line = (text: string): void => {
    progress?.clear();
    terminal.err(`${text}\n`);
  };
  const plain = (event: ProgressEvent): void => line(`${pad('', WORD_WIDTH)} ${howFar(event)}`);
  return {
    emit: (event) => {
      if (event.type !== 'progress') describe(event, terminal, line);
      else if (isDue(event)) (progress?.show ?? plain)(event);
    },
    close: () => progress?.clear(),
  };
}

/** Nothing but warnings: for commands whose result is one document. */
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
  const isDue = progressGate(20, 64 * MEBIBYTE);
  return {
    emit: (event) => {
      if (event.type !== 'progress' || isDue(event)) terminal.out(`${JSON.stringify(event)}\n`);
    },
    close: () => undefined,
  };
}

const MEBIBYTE = 2 ** 20;
const GIBIBYTE = 2 ** 30;

/** Lets a progress event pass when enough has moved since the last one of its subject: a part of the whole, or so many bytes. */
function progressGate(parts: number, leastBytes: number): (event: ProgressEvent) => boolean {
  const shown = new Map<string, number>();
  return ({ subject, bytes, totalBytes }) => {
    const last = shown.get(subject) ?? 0;
    const isEnough = Math.abs(bytes - last) >= Math.max(leastBytes, (totalBytes ?? 0) / parts);
    if (isEnough) shown.set(subject, bytes);
    return isEnough;
  };
}

const OUTCOME_TINTS = {
  done: 'green',
  partial: 'yellow',
  failed: 'red',
  skipped: 'dim',
  'not-started': 'dim',
} as const;

/** Words of the first column, so that what they speak of stands in one line below the other. */
const WORD_WIDTH = 'not-started'.length;

function describe(event: Exclude<RunEvent, ProgressEvent>, terminal: Terminal, line: (text: string) => void): void {
  const paint = terminal.paintErr;
  const say = (tint: Tint, word: string, text: string): void => line(`${paint(tint, pad(word, WORD_WIDTH))} ${text}`);
  switch (event.type) {
    case 'step-started':
      say('dim', 'start', `${event.action} ${event.address}`);
      return;
    case 'step-finished': {
      const took = event.durationMs >= 1_000 ? paint('dim', ` (${formatDuration(event.durationMs)})`) : '';
      const about = [event.snapshot, event.message].filter((part) => part !== null).join(': ');
      say(
        OUTCOME_TINTS[event.outcome],
        event.outcome,
        `${event.action} ${event.address}${about === '' ? '' : `  ${about}`}${took}`,
      );
      if (event.hint !== null) say('cyan', 'hint', event.hint);
      return;
    }
    case 'target-finished':
      if (event.status === 'captured') {
        say(
          'green',
          '  captured',
          `${event.target}  ${formatBytes(event.rawBytes)}, stored ${formatBytes(event.storedBytes)}`,
        );
        return;
      }
      say('red', '  failed', `${event.target}  ${event.message ?? ''}`);
      if (event.hint !== null) say('cyan', '  hint', event.hint);
      return;
    case 'hook':
      say(
        event.ok ? 'dim' : 'red',
        event.ok ? '  hook' : '  hook failed',
        `${event.phase}: ${commandLine(event.argv)}${event.message === null ? '' : ` ${event.message}`}`,
      );
      return;
    case 'waiting':
      say('yellow', 'waiting', event.message);
      return;
    case 'note':
      say('dim', '', event.message);
      return;
    case 'warning':
      say('yellow', 'warning', event.message);
  }
}

function liveLine(terminal: Terminal): {
  readonly show: (event: ProgressEvent) => void;
  clear(): void;
} {
  const subjects = new Map<string, string>();
  let shown = false;
  return {
    show: (event) => {
      subjects.set(event.subject, howFar(event));
      const text = [...subjects.values()].join('   ').slice(0, terminal.columns - WORD_WIDTH - 2);
      terminal.err(`\r\u001B[2K${' '.repeat(WORD_WIDTH + 1)}${terminal.paintErr('dim', text)}`);
      shown = true;
    },
    clear: () => {
      if (shown) terminal.err('\r\u001B[2K');
      shown = false;
      subjects.clear();
    },
  };
}

const howFar = ({ subject, bytes, totalBytes }: ProgressEvent): string =>
  `${subject} ${share(bytes, totalBytes)}${formatBytes(bytes)}`;

/** A bar while the expected size holds. More than expected means that nobody knows how much is left. */
function share(bytes: number, totalBytes: number | null): string {
  if (totalBytes === null || totalBytes === 0 || bytes > totalBytes) return '';
  const part = bytes / totalBytes;
  const full = Math.round(part * 20);
  return `[${'#'.repeat(full)}${'-'.repeat(20 - full)}] ${Math.round(part * 100)}% `;
}
