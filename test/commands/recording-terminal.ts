import { colourPaint, plainPaint, type Terminal } from '../../src/report/terminal.ts';

export interface RecordingTerminal extends Terminal {
  readonly written: { out: string; err: string };
}

/** A terminal that keeps what is written to it: a pipe without colours, or a screen with them. */
export function recordingTerminal(kind: 'pipe' | 'screen' = 'pipe'): RecordingTerminal {
  const written = { out: '', err: '' };
  const isScreen = kind === 'screen';
  return {
    written,
    out: (text) => void (written.out += text),
    err: (text) => void (written.err += text),
    outIsTerminal: isScreen,
    errIsTerminal: isScreen,
    inIsTerminal: isScreen,
    columns: 80,
    paint: isScreen ? colourPaint : plainPaint,
    paintErr: isScreen ? colourPaint : plainPaint,
    readStdin: async () => '',
  };
}
