import { Argument, Command, Option } from 'commander';
import { EXIT_MEANINGS } from '../errors.ts';
import type { CommandRun, CommandSpec, OptionSpec } from './command.ts';
import { optionValues, type OptionValues } from './option-values.ts';
import { COMMANDS } from './specs.ts';

export type Invoke = (run: CommandRun, args: readonly string[], options: OptionValues) => Promise<void>;

/** The command line as commander reads it. `invoke` runs what the user asked for; nothing is loaded before. */
export function buildProgram(bkpVersion: string, invoke: Invoke): Command {
  const program = new Command('bkp')
    .description('Backups as code: one reviewed policy, a plan with reasons, native dumps, proven restores.')
    .version(bkpVersion)
    .showSuggestionAfterError()
    .exitOverride()
    .configureHelp({ sortSubcommands: false })
    .addHelpText('after', exitCodes);
  for (const spec of COMMANDS) program.addCommand(buildCommand(spec, invoke));
  return program;
}

function buildCommand(spec: CommandSpec, invoke: Invoke): Command {
  const command = new Command(spec.name).description(spec.description).exitOverride().showSuggestionAfterError();
  for (const argument of spec.arguments?.split(' ') ?? []) command.addArgument(new Argument(argument));
  for (const option of spec.options) command.addOption(buildOption(option));
  return command.action(async (...received: unknown[]) => {
    const args = received.slice(0, -2).filter((arg) => typeof arg === 'string');
    await invoke(await spec.load(), args, optionValues(command.opts()));
  });
}

function buildOption({ flags, description, choices, repeat }: OptionSpec): Option {
  const option = new Option(flags, description);
  if (choices !== undefined) option.choices([...choices]);
  if (repeat === true)
    option.argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value]);
  return option;
}

function exitCodes(): string {
  const lines = Object.entries(EXIT_MEANINGS).map(([code, meaning]) => `  ${code.padStart(3)}  ${meaning}`);
  return `\nExit codes:\n${lines.join('\n')}\n`;
}
