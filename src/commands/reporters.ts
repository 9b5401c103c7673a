import { reportEvents, reportNdjson, reportWarnings, type EventReporter } from '../report/run-events.ts';
import type { CommandEnvironment } from './command.ts';
import type { OptionValues } from './option-values.ts';

/** For runs (`apply`, `backup`, `restore`): events as NDJSON with `--format json`, else for people on the error stream. */
export const runReporter = (options: OptionValues, { terminal }: CommandEnvironment): EventReporter =>
  options.text('format') === 'json' ? reportNdjson(terminal) : reportEvents(terminal);

/** For commands that print one document with `--format json`: nothing but warnings beside it. */
export const workReporter = (options: OptionValues, { terminal }: CommandEnvironment): EventReporter =>
  options.text('format') === 'json' ? reportWarnings(terminal) : reportEvents(terminal);
