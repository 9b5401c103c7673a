import { parseArgs } from 'node:util';

export interface BenchOptions {
  /** Names of the cases to run; empty for all. */
  readonly cases: readonly string[];
  readonly runs: number;
  /** A missed goal is a failure. */
  readonly strict: boolean;
  readonly build: boolean;
}

/** Reads `npm run bench -- [case…] [--runs N] [--strict] [--no-build]`. */
export function readOptions(argv: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    allowNegative: true,
    options: {
      runs: { type: 'string', default: '5' },
      strict: { type: 'boolean', default: false },
      build: { type: 'boolean', default: true },
    },
  });
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) throw new Error(`--runs takes a whole number from 1, not ${values.runs}`);
  return { cases: positionals, runs, strict: values.strict, build: values.build };
}
