import { plainPaint, type Terminal } from '../../src/report/terminal.ts';

export interface RecordingTerminal extends Terminal {
  readonly written: { out: string; err: string };
}

/** A terminal that keeps what is written to it: a pipe without colours. */
export function recordingTerminal(): RecordingTerminal {
  const written = { out: '', err: '' };
  return {
    written,
    out: (text) => void (written.out += text),
    err: (text) => void (written.err += text),
    outIsTerminal: false,
    errIsTerminal: false,
    inIsTerminal: false,
    columns: 80,
    paint: plainPaint,
    paintErr: plainPaint,
    readStdin: async () => '',
  };
}
