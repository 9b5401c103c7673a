import type { ExitCode } from '../errors.ts';
import type { Terminal } from '../report/terminal.ts';
import type { OptionValues } from './option-values.ts';

/** What a command is given besides its arguments. */
export interface CommandEnvironment {
  readonly terminal: Terminal;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  readonly bkpVersion: string;
  /** Where the catalog lives: a folder that can be deleted at any time. */
  readonly cacheDir: string;
}

export type CommandRun = (
  args: readonly string[],
  options: OptionValues,
  environment: CommandEnvironment,
) => Promise<ExitCode>;

export interface OptionSpec {
  /** As commander reads them: `-f, --file <path>`. */
  readonly flags: string;
  readonly description: string;
  readonly choices?: readonly string[];
  /** May be given more than once. */
  readonly repeat?: boolean;
}

/** One command: all that `--help`, the completion and the README need, and the code behind it, loaded when it runs. */
export interface CommandSpec {
  readonly name: string;
  /** As commander reads them: `<snapshot>`, `[plan]`. */
  readonly arguments?: string;
  readonly description: string;
  /** The heading of `--help` it stands under. */
  readonly group: 'Policy' | 'Backup' | 'Restore' | 'Snapshots' | 'Machine';
  readonly options: readonly OptionSpec[];
  /** Command lines for `--help`, the most wanted first. */
  readonly examples?: readonly string[];
  load(): Promise<CommandRun>;
}
