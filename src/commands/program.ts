import { Argument, Command, Option } from 'commander';
import { EXIT_MEANINGS } from '../errors.ts';
import type { Terminal } from '../report/terminal.ts';
import type { CommandRun, CommandSpec, OptionSpec } from './command.ts';
import { optionValues, type OptionValues } from './option-values.ts';
import { COMMANDS } from './specs.ts';

export type Invoke = (run: CommandRun, args: readonly string[], options: OptionValues) => Promise<void>;

const WIDEST_HELP = 110;

/** The command line as commander reads it. `invoke` runs what the user asked for; nothing is loaded before. */
export function buildProgram(bkpVersion: string, terminal: Terminal, invoke: Invoke): Command {
  const width = Math.min(terminal.columns, WIDEST_HELP);
  const program = new Command('bkp')
    .usage('<command> [options]')
    .description('Backups as code: one reviewed policy, a plan with reasons, native dumps, proven restores.')
    .version(bkpVersion)
    .addHelpCommand(
      new Command('help').argument('[command]').description('show what a command does and takes').helpGroup('Machine:'),
    )
    .exitOverride()
    .configureHelp({ sortSubcommands: false, subcommandTerm })
    .configureOutput({
      writeOut: (text) => terminal.out(text),
      writeErr: (text) => terminal.err(text),
      // Errors are thrown as well: whoever catches them prints them.
      outputError: () => undefined,
      getOutHelpWidth: () => width,
      getErrHelpWidth: () => width,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText('after', exitCodes);
  for (const spec of COMMANDS) program.addCommand(buildCommand(spec, program, invoke));
  return program;
}

function buildCommand(spec: CommandSpec, program: Command, invoke: Invoke): Command {
  const command = new Command(spec.name)
    .copyInheritedSettings(program)
    .description(spec.description)
    .helpGroup(`${spec.group}:`);
  for (const argument of spec.arguments?.split(' ') ?? []) command.addArgument(new Argument(argument));
  for (const option of spec.options) command.addOption(buildOption(option));
  if (spec.examples !== undefined) command.addHelpText('after', examples(spec.examples));
  return command.action(async (...received: unknown[]) => {
    const args = received
      .slice(0, -2)
      .flat()
      .filter((arg) => typeof arg === 'string');
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

/** `restore <snapshot>`: that a command has options is no news. */
const subcommandTerm = (command: Command): string =>
  [
    command.name(),
    ...command.registeredArguments.map((argument) =>
      argument.required ? `<${argument.name()}${argument.variadic ? '...' : ''}>` : `[${argument.name()}]`,
    ),
  ].join(' ');

function exitCodes(): string {
  const lines = Object.entries(EXIT_MEANINGS).map(([code, meaning]) => `  ${code.padStart(3)}  ${meaning}`);
  return `\nExit codes:\n${lines.join('\n')}\n`;
}

const examples = (lines: readonly string[]): string => `\nExamples:\n${lines.map((line) => `  ${line}\n`).join('')}`;
