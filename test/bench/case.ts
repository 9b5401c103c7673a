import type { Lab } from './lab.ts';
import type { Sample } from './measure.ts';

/** One comparison of bkp with its peers. */
export interface BenchCase {
  readonly name: string;
  /** What is compared, one line for the table. */
  readonly title: string;
  /** Programs besides bkp and Node, with the Debian package that brings each. */
  readonly tools: Readonly<Record<string, string>>;
  readonly run: (lab: Lab) => Promise<CaseResult>;
}

export interface CaseResult {
  readonly sides: readonly SideResult[];
  readonly verdicts: readonly Verdict[];
}

export interface SideResult {
  readonly name: string;
  readonly samples: readonly Sample[];
}

/** A number with the goal it is held against. */
export interface Verdict {
  readonly label: string;
  /** One for each run. */
  readonly values: readonly number[];
  readonly unit: 'x' | 'MiB' | 's' | 'failures' | 'requests';
  /** The median must not be above it; null where the number only informs. */
  readonly atMost: number | null;
}
