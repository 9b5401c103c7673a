import { styleText } from 'node:util';

export type Tint = 'red' | 'green' | 'yellow' | 'blue' | 'cyan' | 'magenta' | 'dim' | 'bold';
export type Paint = (tint: Tint, text: string) => string;

/** What a command writes to. Results go to `out`, progress and diagnostics to `err`; both add no newline. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly outIsTerminal: boolean;
  readonly errIsTerminal: boolean;
  readonly inIsTerminal: boolean;
  /** Width of the screen in columns; 80 where unknown. */
  readonly columns: number;
  /** Colours for `out`; the identity where it is a pipe or NO_COLOR is set. */
  readonly paint: Paint;
  /** Colours for `err`. */
  readonly paintErr: Paint;
  /** Reads standard input to its end. */
  readonly readStdin: () => Promise<string>;
}

export const plainPaint: Paint = (_tint, text) => text;
export const colourPaint: Paint = (tint, text) => styleText(tint, text, { validateStream: false });
