import { reportEvents, reportNdjson, type EventReporter } from '../report/run-events.ts';
import type { CommandEnvironment } from './command.ts';
import type { OptionValues } from './option-values.ts';

/** Events as NDJSON with `--format json`, else for people on the error stream. */
export const reporterFor = (options: OptionValues, { terminal }: CommandEnvironment): EventReporter =>
  options.text('format') === 'json' ? reportNdjson(terminal) : reportEvents(terminal);
